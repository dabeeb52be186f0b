/** What a clean-up came to, in one line. */
import { moment, size } from "../formats";
import type { CleanupReceipt, ReceiptGroup } from "../generated/protocol";
import { cleanUp as say } from "../messages/cleanUp";

/** Those of which something is in the trash: it has freed nothing yet. What a command removed is gone. */
export function setAside({ groups }: CleanupReceipt): ReceiptGroup[] {
  return groups.filter(({ set_aside: aside }) => aside);
}

export function bytesOf(groups: ReceiptGroup[]): number {
  return groups.reduce((sum, { set_aside: aside }) => sum + (aside?.bytes ?? 0), 0);
}

/** "9.8 GB freed, 7.3 GB set aside, for good at 17:51". */
export function outcome(receipt: CleanupReceipt, now: Date): string {
  const { undo_until: until, freed } = receipt;
  if (until === undefined || receipt.undone) return say.did({ size: size(freed) });
  const later = { size: size(bytesOf(setAside(receipt))), time: moment(new Date(until), now) };
  return freed > 0 ? say.didBoth({ freed: size(freed), ...later }) : say.didLater(later);
}
