/** The window's clock: ticks while the page can be seen, every second only while a span of seconds is shown. */

export class Clock {
  now = $state(new Date());

  /** Ticks until the returned function is called. */
  run(everySecond: boolean): () => void {
    const tick = () => {
      this.now = new Date();
    };
    let timer: ReturnType<typeof setInterval> | undefined;
    const turn = () => {
      clearInterval(timer);
      if (document.hidden) return;
      tick();
      timer = setInterval(tick, everySecond ? 1000 : 30_000);
    };
    turn();
    document.addEventListener("visibilitychange", turn);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", turn);
    };
  }
}
