/** The texts round what happened while nobody looked; what is told comes from the supervisor. */
import { texts } from "./say";

export const away = texts({
  title: "Since you last looked",
  read: "I have read it",
});
