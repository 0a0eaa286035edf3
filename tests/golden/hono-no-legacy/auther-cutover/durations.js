// How long requests wait for their decision: a histogram that is added up over processes like the counters.
const NAME = "auth_decision_duration_seconds";
const BUCKETS_S = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];

/** Counts by bucket. */
export class Durations {
  /** Each request in the first bucket that it fits in; the last one has no bound. */
  counts = new Array(BUCKETS_S.length + 1).fill(0);
  sumS = 0;

  /** @param {number} seconds */
  observe(seconds) {
    let bucket = 0;
    while (seconds > BUCKETS_S[bucket]) bucket += 1;
    this.counts[bucket] += 1;
    this.sumS += seconds;
  }

  /** @param {{ counts: number[], sumS: number }} [others] Missing in the file of a build that counted none. */
  add(others) {
    if (!others) return this;
    for (const [bucket, count] of others.counts.entries()) this.counts[bucket] += count;
    this.sumS += others.sumS;
    return this;
  }

  /** Prometheus's text form. */
  exposition() {
    let requests = 0;
    const buckets = this.counts.map((count, bucket) => {
      requests += count;
      return `${NAME}_bucket{le="${BUCKETS_S[bucket] ?? "+Inf"}"} ${requests}`;
    });
    return [
      `# HELP ${NAME} How long a request waits for its decision.`,
      `# TYPE ${NAME} histogram`,
      ...buckets,
      `${NAME}_sum ${this.sumS}`,
      `${NAME}_count ${requests}`,
      "",
    ].join("\n");
  }
}
