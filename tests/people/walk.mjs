// Readers on their way through the pages, in a real browser, with the keyboard only. axe looks at every page.
//
//   node walk.mjs reader MODE    subscribe, confirm, choose, change the address, leave, be deleted; sign up from another site
//   node walk.mjs crowd MODE     sign up while so many do that each has to work or to wait
//
// BASE: where Postrider is. OUTBOX: its folder of mails, among them one that welcomes each newcomer. CHROMIUM: the browser.
// FILES: a folder for downloads. SHOTS: one for pictures, if any are wanted. Standard input is a listening socket, at which the
// other site is to be. tests/it/people_walk.rs is who calls.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer from "puppeteer-core";

const MODES = {
  desk: { width: 1280, dark: false, script: true },
  "phone-without-scripts": { width: 360, dark: true, script: false },
  "phone-by-day": { width: 360, dark: false, script: true },
  "desk-by-night": { width: 1280, dark: true, script: false },
};
const WALKS = { reader, crowd };
// How long anything may take, in milliseconds.
const PATIENCE = 30_000;
const [way, name] = process.argv.slice(2);
const mode = MODES[name];
const { BASE, OUTBOX, FILES, CHROMIUM = "chromium", SHOTS } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const problems = [];
const used = new Set();
let looked = 0;
// The form that was sent last.
let sent = "";

// The other site: what is in its pages, by path.
const pages = {};
const elsewhere = createServer((asked, answer) => {
  const found = pages[asked.url];
  answer.writeHead(found ? 200 : 404, { "content-type": "text/html; charset=utf-8" }).end(found);
});
await new Promise((done) => elsewhere.listen({ fd: 0 }, done));
const there = `http://localhost:${elsewhere.address().port}`;

const browser = await puppeteer.launch({
  // It wants a path, not a name.
  executablePath: execFileSync("sh", ["-c", 'command -v "$0"', CHROMIUM]).toString().trim(),
  pipe: true, // it ends with us, however we end
  args: [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    // Of free ports, some belong to other protocols, and a browser goes to none of those.
    `--explicitly-allowed-ports=${[new URL(BASE).port, elsewhere.address().port]}`,
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
  ],
});
const page = await browser.newPage();
page.on("request", (request) => {
  if (request.method() === "POST") sent = request.postData() ?? "";
});
page.on("pageerror", (error) => problems.push(`${page.url()}: a script failed: ${error.message}`));
page.on("console", (line) => {
  // An answer such as "422" is no mistake of the page.
  if (line.type() !== "error" || line.text().startsWith("Failed to load resource")) return;
  problems.push(`${page.url()}: the browser complains: ${line.text()}`);
});
try {
  await page.setViewport({ width: mode.width, height: 800 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: mode.dark ? "dark" : "light" }]);
  await page.setJavaScriptEnabled(mode.script);
  await WALKS[way]();
} catch (error) {
  const shown = await page.$eval("body", (it) => it.innerText).catch(() => "nothing");
  problems.push(`at ${page.url()}: ${error.stack}\nThe page says:\n${shown}`);
}
await browser.close();
for (const problem of problems) console.log(`PROBLEM: ${problem}`);
console.log(`${looked} pages looked at, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);

async function reader() {
  const who = `${name}@example.org`;
  await subscribes(who);
  const token = await mailed(who, "preferences");
  const own = `${BASE}preferences/${token}`;
  await chooses(own);
  await joins(who, own);
  await takesDataAlong(who, own);
  await moves(who, own);
  await leaves(own, token);
  await copiesForm();
  if (mode.script) await staysElsewhere("reader");
  const other = await leadsHere("reader");
  await says("Now check your mail");
  await mailed(other, "confirm");
}

async function crowd() {
  await axeCanFind();
  step("signing up in a crowd");
  const who = `crowd-${name}@example.org`;
  await page.goto(`${BASE}subscribe/weekly`);
  await look("subscribe in a crowd");
  await page.goto(`${BASE}subscribe/weekly`); // afresh: looking takes time, and waiting would do as well
  await to("#address");
  await page.keyboard.type(who);
  await press("button");
  await waitsOrWorks(who);
  await copiesForm();
  if (mode.script) await staysElsewhere("crowd");
  const other = await leadsHere("crowd");
  await says("this takes one more press of the button");
  await look("subscribe in a crowd, led here");
  if (mode.script) await press("button");
  await waitsOrWorks(other);
}

// Scripts work. Who has none is told to wait; that this is enough needs a clock to turn, and is tested where there is one.
async function waitsOrWorks(who) {
  if (mode.script) {
    await says("Now check your mail");
    await mailed(who, "confirm");
    if (!/\bwork=ey/.test(sent)) problems.push(`the browser did no work: ${sent}`);
  } else {
    await says("this takes one more press of the button");
    await says("Please wait 20 seconds");
    await look("subscribe in a crowd, to wait");
  }
}

async function subscribes(who) {
  step("subscribing");
  await page.goto(`${BASE}subscribe/weekly?lang=de`);
  await speaks("de");
  await look("subscribe in German");
  await page.goto(`${BASE}subscribe/weekly`);
  await look("subscribe");
  await to("#address");
  await page.keyboard.type("nobody");
  await press("button");
  await look("subscribe, refused");
  await to("#address");
  await clear();
  await page.keyboard.type(who);
  await press("button");
  await says("Now check your mail");
  await look("subscribe, done");

  step("confirming");
  await page.goto(BASE + "confirm/" + (await mailed(who, "confirm")));
  await look("confirm");
  await press("button");
  await says("You are on the list");
  await look("confirmed");
}

async function chooses(own) {
  step("choosing");
  await page.goto(own);
  await look("preferences");
  await to("input[name=cadence]");
  await page.keyboard.press("ArrowDown");
  const cadence = () => page.$eval("input[name=cadence]:checked", (it) => it.value);
  const chosen = await cadence();
  await press("form:has([value=save]) button");
  await says("Saved.");
  await look("preferences, saved");
  const kept = await cadence();
  if (kept !== chosen) problems.push(`${chosen} was chosen and ${kept} kept`);
  await to("#timezone");
  await clear();
  await page.keyboard.type("Atlantis");
  await press("form:has([value=save]) button");
  await says("is not a known time zone");
  await look("preferences, an unknown zone");
  await page.goto(`${own}?lang=de`);
  await speaks("de");
  await says("Eine andere Adresse");
  await look("preferences in German");

  step("taking a break");
  await page.goto(own);
  await press("button[value=one-month]");
  await says("You take a break until");
  await look("preferences, a break");
  await press("button[value=resume]");
}

async function joins(who, own) {
  step("joining another newsletter");
  await press("button[value=join]");
  await says("A mail is on its way to you");
  await look("preferences, joining");
  await page.goto(BASE + "confirm/" + (await mailed(who, "confirm")));
  await says("Subscribe to Letters?");
  await press("button");
  await says("You are on the list");
  await page.goto(own);
  await says("Leave Letters");
  await look("preferences, joined");
}

async function takesDataAlong(who, own) {
  step("taking the data along");
  const client = await browser.target().createCDPSession();
  await client.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: FILES });
  await page.goto(own);
  await to("a[download]");
  await page.keyboard.press("Enter");
  const file = join(FILES, "my-data.json");
  await until(`${file} is there`, () => existsSync(file));
  const data = readFileSync(file, "utf8");
  JSON.parse(data);
  for (const known of [who, "weekly", "letters"]) {
    if (!data.includes(known)) problems.push(`the data say nothing of ${known}: ${data}`);
  }
}

async function moves(who, own) {
  step("changing the address");
  await page.goto(own);
  await to("#address");
  await page.keyboard.type(`new-${who}`);
  await press("form:has([value=address]) button");
  await says("a mail is on its way to it");
  await page.goto(BASE + "address/" + (await mailed(`new-${who}`, "address")));
  await look("a new address");
  await press("button");
  await says("Your address is changed");
  await look("a new address, changed");
}

async function leaves(own, token) {
  step("leaving");
  await page.goto(`${BASE}unsubscribe/${token}`);
  await look("unsubscribe");
  await press("button");
  await says("You are off the list");
  await look("unsubscribed");
  await to("#reason");
  await page.keyboard.type("Too much of a good thing");
  await press("button");
  await says("Thank you for saying so.");
  await look("unsubscribed, a reason");
  await page.goto(own);
  await says("You left");
  await look("preferences, left");
  await page.goto(`${own}?lang=de`);
  await speaks("de");
  await look("preferences in German, left");

  step("being deleted");
  await page.goto(`${own}/delete`);
  await look("delete");
  await press("button");
  await says("Everything is deleted");
  await look("deleted");
  await page.goto(own);
  await says("This link does not work");
  await look("a link of nobody");
}

// The form that our page gives to copy, in pages of another site: as it is, and without its last line.
async function copiesForm() {
  step("copying the form");
  await page.goto(`${BASE}subscribe/weekly/embed`);
  await look("the form to copy");
  const form = await page.$eval("pre code", (it) => it.textContent);
  const plain = form.split("\n").filter((line) => !line.startsWith("<script")).join("\n");
  if (plain === form) problems.push("the form to copy has no script to leave out");
  for (const [path, it] of [["/with", form], ["/without", plain]]) {
    pages[path] = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>A blog</title>
<meta name="viewport" content="width=device-width"><main><h1>A blog</h1>\n${it}</main></html>`;
  }
}

// The script of the form shows the answer in place.
async function staysElsewhere(whom) {
  const who = `${whom}-stays-${name}@example.org`;
  const told = () => page.$$eval("form [role]", (all) => all.map((it) => it.innerText).join(" / ")).catch(() => "");
  // The browser lets it pass.
  await fillsInElsewhere("/with", "no..body@example.org");
  await page.keyboard.press("Enter");
  await until("the other site tells of the mistake", async () => (await told()).includes("two dots in a row"));
  await look("another site, refused");
  await to("#address");
  await clear();
  await page.keyboard.type(who);
  await page.keyboard.press("Enter");
  await until("the other site says so", async () => (await told()).includes("Now check your mail"));
  if ((await told()).includes("two dots in a row")) problems.push(`what was wrong stands there still: ${await told()}`);
  if (!page.url().startsWith(there)) problems.push(`the script leads away from the other site, to ${page.url()}`);
  await look("another site, done");
  await mailed(who, "confirm");
  if (way === "crowd" && !/"work":"ey/.test(sent)) problems.push(`the browser did no work on another site: ${sent}`);
}

// Without it our page answers.
async function leadsHere(whom) {
  const who = `${whom}-goes-${name}@example.org`;
  await fillsInElsewhere(mode.script ? "/without" : "/with", who);
  await press("button");
  if (!page.url().startsWith(BASE)) problems.push(`the form leads to ${page.url()}`);
  return who;
}

// Up to the button.
async function fillsInElsewhere(path, address) {
  step(`signing up on another site, ${path}`);
  await page.goto(there + path);
  await look(`another site, ${path}`);
  await to("#address");
  await page.keyboard.type(address);
  await to("button");
}

// Says what comes now: when something fails, or nothing happens any more, it was here.
function step(what) {
  console.log(`${performance.now().toFixed()} ms: ${what}`);
}

async function says(text) {
  const all = await page.$eval("main", (it) => it.innerText);
  if (!all.includes(text)) throw new Error(`the page does not say "${text}"`);
}

async function speaks(language) {
  const found = await page.$eval("html", (it) => it.lang);
  if (found !== language) problems.push(`${page.url()} is in "${found}" and not in "${language}"`);
}

// Goes to an element as people without a mouse do.
async function to(selector) {
  const isThere = () => page.evaluate((it) => document.activeElement.matches(it), selector);
  for (let steps = 0; steps < 120; steps++) {
    if (await isThere()) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the keyboard does not lead to ${selector}`);
}

async function press(selector) {
  await to(selector);
  await Promise.all([page.waitForNavigation({ timeout: PATIENCE }), page.keyboard.press("Enter")]);
}

async function clear() {
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.press("Backspace");
}

async function look(what) {
  step(what);
  looked += 1;
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) problems.push(`${what}: ${wide} pixels too wide`);
  for (const found of await judged()) {
    const nodes = found.nodes.map((node) => node.html.slice(0, 120)).join(" | ");
    problems.push(`${what}: ${found.id}: ${found.help}: ${nodes}`);
  }
  if (SHOTS) {
    mkdirSync(SHOTS, { recursive: true });
    const file = `${way}-${name}-${what}.png`.replace(/[ ,/]+/g, "-");
    await page.screenshot({ path: join(SHOTS, file), fullPage: true });
  }
}

// What axe has against the page.
async function judged() {
  // It waits by timers, which a page without scripts has none of.
  await page.setJavaScriptEnabled(true);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], preload: false }));
  await page.setJavaScriptEnabled(mode.script);
  return violations;
}

// It would be of no use if it found nothing anywhere.
async function axeCanFind() {
  step("looking at a bad page");
  pages["/bad"] = '<!DOCTYPE html><html lang="en"><title>Bad</title><main><h1>Bad</h1><input></main></html>';
  await page.goto(`${there}/bad`);
  const found = await judged();
  if (!found.some((it) => it.id === "label")) problems.push("axe does not see a missing label");
}

async function until(what, isSo) {
  for (const end = performance.now() + PATIENCE; !(await isSo()); await sleep(50)) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
  }
}

// The token behind `path` in a mail to `address` that no step had before.
async function mailed(address, path) {
  let token;
  await until(`a mail to ${address} with a link to ${path}`, () => {
    const folder = join(OUTBOX, "mail");
    const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".eml")) : [];
    for (const file of files) {
      const mail = readFileSync(join(folder, file), "utf8").replace(/=\r?\n/g, "").replaceAll("=3D", "=");
      const found = mail.match(new RegExp(`/${path}/([\\w-]{43})`));
      if (mail.includes(`To: ${address}`) && found && !used.has(found[1])) token = found[1];
    }
    return token;
  });
  used.add(token);
  return token;
}
