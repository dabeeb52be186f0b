/** What a working directory is called, by the task that was last in it, and what is so of it. */
import type { Runner, WorkDir } from "../generated/protocol";
import { directories as say } from "../messages/directories";

/** "web-app / build", else whose it is or what its path ends with. */
export function nameOf({ project, job, path, kind, runner }: WorkDir): string {
  const task = [project, job].filter((it) => it !== undefined).join(" / ");
  if (task !== "") return task;
  return kind === "current" ? runner : (path.split("/").at(-1) ?? path);
}

/** What it is there for, or who uses it. */
export function useOf(directory: WorkDir, runners: Runner[]): string {
  switch (directory.in_use) {
    case "in-use": {
      const task = runners.find(({ name }) => name === directory.runner)?.task;
      const name = [task?.project, task?.job].filter((it) => it !== undefined && it !== null).join(" / ");
      return name === "" ? say.inUse() : say.inUseBy({ task: name });
    }
    case "unknown":
      return say.maybeInUse();
    case "free":
      if (directory.kind === "left") return say.left({ runner: directory.runner });
      return { current: say.next, kept: say.kept, chosen: say.chosen, other: say.other }[directory.kind]();
  }
}

export function canGo({ kept_because: why }: WorkDir): boolean {
  return why === undefined;
}
