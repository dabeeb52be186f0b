/** What the keyboard reaches by Tab, in the order in which it comes; nothing is laid out here, so that is the page's own order. */

const CONTROLS = "button, a[href], input, select, textarea, summary, [tabindex], [onclick], [role=button], [role=switch], [role=tab]";

/** By their names, as a screen reader says them. */
export function reached(within: ParentNode = document): string[] {
  return controls(within).map(name);
}

/** What could be pressed, chosen or written in and is not reached, or out of the order in which it is read. */
export function missed(within: ParentNode = document): string[] {
  const all = controls(within);
  const unreached = all.filter((it) => {
    it.focus();
    return document.activeElement !== it;
  });
  const early = [...within.querySelectorAll<HTMLElement>("[tabindex]")].filter((it) => it.tabIndex > 0);
  return [...unreached, ...early].map(name);
}

function controls(within: ParentNode): HTMLElement[] {
  return [...within.querySelectorAll<HTMLElement>(CONTROLS)].filter((it) => {
    const isOff = (it as HTMLInputElement).disabled || it.closest("[hidden], [inert]") !== null;
    const details = it.closest("details:not([open])");
    const isFolded = details !== null && it !== details.querySelector("summary");
    // A heading that is given the focus when its page comes is not on the way.
    return !isOff && !isFolded && !(it.getAttribute("tabindex") === "-1" && /^(H[1-6]|MAIN|SECTION)$/.test(it.tagName));
  });
}

function name(it: HTMLElement): string {
  const by = it.getAttribute("aria-labelledby");
  const label = by === null ? null : document.getElementById(by)?.textContent;
  const words = it.getAttribute("aria-label") ?? label ?? it.closest("label")?.textContent ?? (it as HTMLInputElement).labels?.[0]?.textContent;
  return (words ?? it.textContent ?? "").trim().replace(/\s+/g, " ");
}
