/** The keys that hold on every page: Ctrl/Cmd 1-8 for pages, Ctrl/Cmd K for commands, / for the page's search field. */
import { PAGES } from "./pages";
import { place } from "./place.svelte";

export function isMac(): boolean {
  return document.documentElement.classList.contains("mac");
}

export function pressed(event: KeyboardEvent, commands: () => void): void {
  const command = isMac() ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  if (event.altKey || event.shiftKey) return;
  if (command && event.key.toLowerCase() === "k") {
    event.preventDefault();
    commands();
    return;
  }
  const page = command && /^[1-8]$/.test(event.key) ? PAGES[Number(event.key) - 1] : undefined;
  if (page) {
    event.preventDefault();
    place.go(page.page);
    return;
  }
  if (event.key === "/" && !command && !isTyping(event.target)) {
    const search = document.querySelector<HTMLInputElement>("input[type=search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select") !== null;
}
