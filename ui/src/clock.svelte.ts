/** The window's clock: ticks while the page can be seen, as often as what is shown needs it. */

export class Clock {
  now = $state(new Date());
  #again = () => {};

  /** Ticks at least so often, in milliseconds, until the returned function is called. */
  run(every: number): () => void {
    let timer: ReturnType<typeof setInterval> | undefined;
    const turn = () => {
      clearInterval(timer);
      if (document.hidden) return;
      const tick = () => {
        this.now = new Date();
      };
      tick();
      timer = setInterval(tick, every);
    };
    this.#again = turn;
    turn();
    document.addEventListener("visibilitychange", turn);
    return () => {
      this.#again = () => {};
      clearInterval(timer);
      document.removeEventListener("visibilitychange", turn);
    };
  }

  /** Something is painted anew anyway: times are told with it, and not a moment later for themselves. */
  tick(): void {
    this.#again();
  }
}
