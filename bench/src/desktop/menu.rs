//! The real menu of a tray icon, read and clicked over `com.canonical.dbusmenu` as a panel does it.

use std::collections::HashMap;

use anyhow::{Context, Result};
use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use super::watcher::Icon;

/// Id, properties, children.
type Node = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

pub(crate) struct Menu {
    menu: Proxy<'static>,
    first: i32,
}

impl Menu {
    /// Finds the icon's menu and its first item.
    pub(crate) fn of(bus: &Connection, icon: &Icon) -> Result<Self> {
        let item =
            Proxy::new(bus, icon.owner.clone(), icon.path.clone(), "org.kde.StatusNotifierItem")?;
        let path: OwnedObjectPath = item.get_property("Menu").context("the icon has a menu")?;
        let menu = Proxy::new(bus, icon.owner.clone(), path, "com.canonical.dbusmenu")?;
        let _: bool = menu.call("AboutToShow", &(0_i32,))?;
        let no_names: &[&str] = &[];
        let (_, root): (u32, Node) = menu.call("GetLayout", &(0_i32, -1_i32, no_names))?;
        let first = root.2.into_iter().next().context("the menu has an item")?;
        let (first, _, _) = Node::try_from(first).context("an item is as the protocol has it")?;
        Ok(Self { menu, first })
    }

    /// Clicks the first item; returns once the app has heard of it.
    pub(crate) fn click_first(&self) -> Result<()> {
        let nothing = Value::from(0_i32);
        Ok(self.menu.call("Event", &(self.first, "clicked", nothing, 0_u32))?)
    }
}
