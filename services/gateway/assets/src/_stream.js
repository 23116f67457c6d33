// Who holds the stream of changes? One tab of this browser; the others hear from it, and the next takes over when it goes.
//
// A browser opens six connections to a server (HTTP/1.1): ten tabs with a stream each would leave none for a click.
// Web Locks choose the tab; where they are missing (plain http to another machine) each tab has a stream of its own.
import { me } from "./_page.js";

const NAME = `live ${me} ${document.documentElement.lang}`;
const tab = Math.random().toString(36).slice(2);
let channel = null;
let source = null;
let leave = null; // gives the stream to the next tab
let connected = false;
let on = null;

/** Whether changes come in, here or by the tab that holds the stream. */
export const isConnected = () => connected;

function hear(news) {
  if ("open" in news) connected = news.open;
  if (news.open) on.open(news.at ?? 0);
  if (news.beat) on.beat();
  if (news.change) on.change(news.change);
  if (news.closed) on.closed();
  if (news.open === false) on.lost();
}

function tell(news) {
  hear(news);
  channel?.postMessage(news);
}

/** Opens the stream anew, right after what this tab has seen. */
function open() {
  source?.close();
  source = new EventSource(`/live${on.position() ? `?after=${on.position()}` : ""}`);
  source.addEventListener("open", () => tell({ open: true, at: on.position() }));
  source.addEventListener("beat", () => tell({ beat: true }));
  source.addEventListener("message", (event) => tell({ change: JSON.parse(event.data) }));
  source.addEventListener("error", async ({ target }) => {
    tell({ open: false });
    if (target.readyState !== EventSource.CLOSED || target !== source) return;
    const answer = await fetch("/api/v1/session").catch(() => null);
    if (answer?.status === 401) tell({ closed: true });
    else setTimeout(() => { if (target === source) open(); }, 2000);
  });
}

/** Listens; `handlers` are position, open(at), beat, change, lost and closed. */
export function listen(handlers) {
  on = handlers;
  if (!("locks" in navigator)) return open();
  channel = new BroadcastChannel(NAME);
  channel.addEventListener("message", ({ data }) => {
    if (data.hello) {
      if (leave && source?.readyState === EventSource.OPEN) channel.postMessage({ to: data.hello, open: true, at: on.position() });
    } else if (!data.to || data.to === tab) hear(data);
  });
  channel.postMessage({ hello: tab });
  navigator.locks.request(NAME, () => new Promise((done) => {
    leave = done;
    open();
  }));
}

/** Tries again at once: the network is back. */
export function again() {
  if (leave || !channel) open();
  else channel.postMessage({ hello: tab });
}

/** Gives the stream up: the page goes, or nobody is logged in any more. */
export function stop() {
  source?.close();
  source = null;
  connected = false;
  channel?.close();
  leave?.();
  channel = leave = null;
}
