"use strict";
// The backend of the user interface: the server of this page.
(() => {
  const url = (path) => new URL(path, document.baseURI);

  /** An error in words, with the status and the code of the answer. */
  class ServerError extends Error {
    constructor(message, status, code, retryAfter, columns = null) {
      super(message);
      Object.assign(this, { status, code, retryAfter, columns });
    }
  }

  async function refusal(response) {
    let body = {};
    try {
      body = (await response.json()).error ?? {};
    } catch {
      // The response is a proxy's, not ours.
    }
    const message = body.message ?? `The server answered with status ${response.status}: try again later.`;
    const retryAfter = Number(response.headers.get("Retry-After")) || null;
    return new ServerError(message, response.status, body.code ?? null, retryAfter, body.columns);
  }

  async function ask(path, options = {}) {
    const key = sessionStorage.getItem("taglineKey");
    const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
    let response;
    try {
      response = await fetch(url(path), { ...options, headers, cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServerError("The server cannot be reached: is it still running?", 0, "unreachable", null);
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }

  /** Counts the records of CSV as its bytes pass: line ends outside of quotes, and a last line that lacks one. */
  function recordCounter() {
    const [QUOTE, LINE_FEED, RETURN] = [34, 10, 13];
    let quoted = false;
    let records = 0;
    let started = false;
    return {
      add(bytes) {
        for (const byte of bytes) {
          if (byte === QUOTE) quoted = !quoted;
          if (byte === LINE_FEED && !quoted) {
            if (started) records++;
            started = false;
          } else if (byte !== RETURN) started = true;
        }
      },
      rows: () => Math.max(0, records + (started ? 1 : 0) - 1), // without the header
    };
  }

  /**
   * Gives the labelled file, a Blob with facts: the `encoding` if it was not Unicode, `separator`, `textColumns`, the
   * line of the first row, and `tableLine`, where the table begins if lines above it were not read. The columns `text`
   * hold the texts; without any they are found. `abstain`, `unsureBelow` and `sets` are options of `tagline predict`.
   */
  async function label(model, file, options = {}) {
    const { text = [], abstain = null, unsureBelow = null, sets = null, onProgress, signal } = options;
    onProgress?.(0, null);
    const query = new URLSearchParams({ model, format: "csv" });
    for (const name of text) query.append("text", name);
    for (const [name, value] of Object.entries({ abstain, unsure_below: unsureBelow, sets })) {
      if (value !== null) query.append(name, value);
    }
    const request = { method: "POST", body: file, headers: { "Content-Type": "text/csv" }, signal };
    const response = await ask(`v1/predict/file?${query}`, request);
    const total = Number(response.headers.get("X-Tagline-Rows"));
    const counter = recordCounter();
    const parts = [];
    try {
      for (const reader = response.body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        counter.add(value);
        onProgress?.(Math.min(counter.rows(), total), total);
      }
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServerError("The connection ended before the whole file was labelled: try again.", 0, "cut_off", null);
    }
    const encoding = response.headers.get("X-Tagline-Encoding");
    const separator = decodeURIComponent(response.headers.get("X-Tagline-Separator"));
    const textColumns = response.headers.get("X-Tagline-Text-Columns").split(",").filter(Boolean).map(Number);
    const [firstLine, tableLine] = ["First", "Table"].map((of) => Number(response.headers.get(`X-Tagline-${of}-Line`)));
    const facts = { encoding, separator, textColumns, firstLine, tableLine };
    return Object.assign(new Blob(parts, { type: "text/csv;charset=utf-8" }), facts);
  }

  window.taglineBackend = {
    models: async () => (await (await ask("v1/models")).json()).models,
    about: async (model) => (await ask(`v1/model?${new URLSearchParams({ model })}`)).json(),
    explain: async (model, text, className, signal) => {
      // Half a surrogate pair is no character, and JSON for the server must not hold one: U+FFFD keeps its place.
      const whole = text.replace(/\p{Cs}/gu, "\ufffd");
      const named = className === null ? {} : { class: className };
      const body = JSON.stringify({ text: whole, model, truncate: true, novelty: true, ...named });
      const options = { method: "POST", body, headers: { "Content-Type": "application/json" }, signal };
      return (await ask("v1/explain", options)).json();
    },
    label,
  };
})();
