/** The one step that changes things: its acts in order, each of which may be done again. Stops at the first that is refused. */
import type { Allowed } from "../answers";
import { ask, call } from "../bridge";
import type { Refusal, Reply } from "../calls";
import { isMac } from "../keys";
import { installStep as say } from "../messages/setup";
import type { Draft } from "./draft.svelte";

export type Act = {
  id: "supervisor" | "class" | "save" | "token" | "login" | "notify";
  title: string;
  state: "todo" | "doing" | "done" | "refused" | "later";
  /** What came of it, in words. */
  outcome: string;
};

export class Installation {
  acts = $state<Act[]>([]);
  refusal = $state.raw<Refusal>();
  isGoing = $state(false);
  isDone = $state(false);

  constructor(
    private readonly draft: Draft,
    /** Whether a supervisor answered last. */
    private readonly isThere: () => boolean,
  ) {}

  async go(): Promise<void> {
    if (this.isGoing) return;
    this.isGoing = true;
    this.refusal = undefined;
    this.acts = this.#plan();
    for (const act of this.acts) {
      act.state = "doing";
      const reply = await this.#carryOut(act.id);
      if ("refused" in reply) {
        const { title } = reply.refused;
        // That it does not start at login, or cannot notify, hinders nothing else.
        if (act.id === "login" || act.id === "notify") {
          act.state = "later";
          act.outcome = `${title} ${act.id === "login" ? say.loginLater() : say.notifyLater()}`;
          continue;
        }
        act.state = "refused";
        act.outcome = title;
        this.refusal = reply.refused;
        this.isGoing = false;
        return;
      }
      act.state = "done";
      act.outcome = reply.ok;
    }
    this.draft.forgetSecrets();
    this.isGoing = false;
    this.isDone = true;
  }

  /** What was done is not shown any more, and may be done anew. */
  forget(): void {
    if (this.isGoing) return;
    this.acts = [];
    this.refusal = undefined;
    this.isDone = false;
  }

  #plan(): Act[] {
    const { way, isNewClass, atLogin } = this.draft.chosen;
    const act = (id: Act["id"], title: string): Act => ({ id, title, state: "todo", outcome: "" });
    const makes = way === "personal";
    return [
      act("supervisor", say.doSupervisor()),
      ...(makes && isNewClass ? [act("class", say.doClass())] : []),
      act("save", say.doSave()),
      ...(makes ? [act("token", say.doToken())] : []),
      ...(atLogin && this.draft.edits === null ? [act("login", say.doLogin())] : []),
      // Elsewhere nobody is asked.
      ...(isMac() ? [act("notify", say.doNotify())] : []),
    ];
  }

  /** In words what was done, or why not. */
  async #carryOut(act: Act["id"]): Promise<Reply<string>> {
    const { draft } = this;
    const { name: runner, resourceClass, description, org, apiUrl, way } = draft.chosen;
    const personal = { personal_token: draft.personal.trim(), ...(apiUrl === "" ? {} : { api_url: apiUrl }) };
    switch (act) {
      case "supervisor":
        if (!this.isThere()) await ask({ do: "start-supervisor" });
        // That it runs is its own word.
        return told(await call({ call: "agents" }), () => say.started());
      case "class": {
        const organisation = org === "" ? {} : { org_id: org };
        const reply = await call({ call: "create-class", resource_class: resourceClass, description, ...organisation, ...personal });
        if ("ok" in reply) draft.chosen.isNewClass = false;
        return told(reply, () => say.created());
      }
      case "save": {
        const pasted = draft.token.trim();
        const token = way === "token" && pasted !== "" ? { token: pasted } : {};
        const reply = await call({ call: "set-up", runner, config: draft.config(), ...token });
        // It is stored, so that trying the rest again needs it no more.
        if ("ok" in reply && way === "token") draft.chosen.way = "keep";
        return told(reply, ({ did }) => (did.length > 0 ? did.join(" ") : say.unchanged()));
      }
      case "token": {
        const made = { call: "create-token", runner, nickname: runner, personal_token: personal.personal_token } as const;
        const reply = await call(made);
        // Made once is enough, however often the rest is tried.
        if ("ok" in reply) draft.chosen.way = "keep";
        return told(reply, ({ nickname }) => say.stored({ nickname }));
      }
      case "login":
        return told(await call({ call: "set-login", supervisor: true, app: true }), () => say.enabled());
      case "notify":
        return allowed(await call({ call: "allow-notifications" }));
    }
  }
}

function told<T>(reply: Reply<T>, words: (done: T) => string): Reply<string> {
  return "refused" in reply ? reply : { ok: words(reply.ok) };
}

/** A "no" is the owner's word, and told with the way to change it. */
function allowed(reply: Reply<Allowed>): Reply<string> {
  if ("refused" in reply) return reply;
  if (reply.ok.allowed) return { ok: say.allowed() };
  return { refused: { code: "not-allowed", title: say.notAllowed(), hint: "" } };
}
