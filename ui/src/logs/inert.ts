/** A log line made harmless: no escape codes, no controls, nothing that turns the direction of what stands beside it. */

// CSI, OSC (to BEL or ST), and the two-letter sequences of ECMA-48.
const ESCAPES = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]/g;
// C0 and C1 but the tab; Unicode's marks of direction (UAX 9, section 2); line and paragraph separators.
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export function inert(text: string): string {
  return text.replace(ESCAPES, "").replace(CONTROLS, "\ufffd");
}
