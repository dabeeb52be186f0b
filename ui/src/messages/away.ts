/** The texts round what happened while nobody looked; what is told comes from the supervisor. */
import { texts } from "./say";

export const away = texts({
  title: "Since you last looked",
  read: "I have read it",
  showEarlier: { one: "Show {n} earlier notice", other: "Show {n} earlier notices" },
  notShown: { one: "{n} earlier notice is not shown.", other: "{n} earlier notices are not shown." },
});
