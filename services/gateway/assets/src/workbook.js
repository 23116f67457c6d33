// How far is the workbook? Asked again and again until it is ready, which is when its file is fetched.
const panel = document.getElementById("workbook");
const progress = document.getElementById("progress");
const rows = document.getElementById("rows");
const EVERY = 500;

function show(job) {
  panel.dataset.state = job.state;
  for (const part of panel.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(job.state);
  if (job.rows !== null) {
    progress.max = job.rows;
    progress.value = job.done;
    const count = new Intl.NumberFormat(document.documentElement.lang);
    rows.textContent = rows.dataset.words.replace("{done}", count.format(job.done)).replace("{rows}", count.format(job.rows));
  }
  document.getElementById("why").textContent = job.problem ?? "";
}

async function follow() {
  const answer = await fetch(`/api/v1/workbooks/${panel.dataset.job}`).catch(() => null);
  if (answer && [401, 403, 404].includes(answer.status)) return location.reload(); // The page says why.
  if (!answer?.ok) return setTimeout(follow, EVERY);
  const was = panel.dataset.state;
  const job = await answer.json();
  show(job);
  if (job.state === "waiting" || job.state === "making") return setTimeout(follow, EVERY);
  if (job.state === "ready" && was !== "ready") document.getElementById("fetch").click();
}

follow();
