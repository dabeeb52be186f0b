/** What the window remembers of itself over its closing: its place and a set-up left half way. Never a secret. */

export function kept<T>(key: string): T | undefined {
  try {
    const text = localStorage.getItem(key);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    // Nothing is remembered where nothing may be stored, or where it is spoilt.
    return undefined;
  }
}

export function keep(key: string, what: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(what));
  } catch {
    // As above.
  }
}

export function drop(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // As above.
  }
}
