// How far the agent's download is, wherever that is shown.
import { size } from "../formats";
import type { Install } from "../generated/protocol";
import { overview as say } from "../messages/overview";

/** "12 MB of 42 MB, 3 MB a second", as far as it is known. */
export function howFar({ received, total, rate }: Install): string {
  const soFar = total === null ? size(received) : say.receivedOf({ received: size(received), total: size(total) });
  return rate === undefined ? soFar : say.pace({ reading: soFar, rate: size(rate) });
}
