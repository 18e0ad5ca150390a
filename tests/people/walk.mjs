// A reader's whole way, in a real browser: subscribe, confirm, change the cadence, change the address, leave. With the keyboard only;
// on a desk and on a phone, in the light and in the dark, with JavaScript and without. axe looks at every page.
//
// BASE: where Postrider is. OUTBOX: its folder of mails. TOKENS: a command that prints the link's token for an address.
// CHROMIUM: the browser. SHOTS: a folder for pictures, if any are wanted.

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const { BASE, OUTBOX, TOKENS, CHROMIUM = "chromium", SHOTS } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const problems = [];
let looked = 0;

const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});
const modes = [
  { name: "desk", width: 1280, dark: false, script: true },
  { name: "phone", width: 360, dark: true, script: false },
  { name: "phone by day", width: 360, dark: false, script: true },
  { name: "desk by night", width: 1280, dark: true, script: false },
];
try {
  for (const mode of modes) await walk(mode);
} finally {
  await browser.close();
  for (const problem of problems) console.log(problem);
  console.log(`${looked} pages looked at, ${problems.length} problems`);
}
process.exit(problems.length ? 1 : 0);

async function walk(mode) {
  const page = await browser.newPage();
  await page.setViewport({ width: mode.width, height: 800 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: mode.dark ? "dark" : "light" }]);
  await page.setJavaScriptEnabled(mode.script);
  const who = `${mode.name.replaceAll(" ", "-")}@example.org`;
  const look = (name) => examine(page, mode, name);
  const says = async (text) => {
    const all = await page.$eval("main", (it) => it.innerText);
    if (!all.includes(text)) throw new Error(`${mode.name}: ${page.url()} does not say "${text}":\n${all}`);
  };

  await page.goto(`${BASE}subscribe/weekly`);
  await look("subscribe");
  await to(page, "#address");
  await page.keyboard.type("nobody");
  await press(page, "button");
  await look("subscribe, refused");
  await to(page, "#address");
  await clear(page);
  await page.keyboard.type(who);
  await press(page, "button");
  await says("Now check your mail");
  await look("subscribe, done");

  await page.goto(BASE + "confirm/" + mailed(who, "confirm"));
  await look("confirm");
  await press(page, "button");
  await says("You are on the list");
  await look("confirmed");

  const token = execFileSync("sh", ["-c", `${TOKENS} ${who}`]).toString().trim();
  const own = `${BASE}preferences/${token}`;
  await page.goto(own);
  await look("preferences");
  await to(page, "input[name=cadence]");
  await page.keyboard.press("ArrowDown");
  const chosen = await page.$eval("input[name=cadence]:checked", (it) => it.value);
  await press(page, "form:has([value=save]) button");
  await says("Saved.");
  await look("preferences, saved");
  const kept = await page.$eval("input[name=cadence]:checked", (it) => it.value);
  if (kept !== chosen) problems.push(`${mode.name}: ${chosen} was chosen and ${kept} kept`);
  await to(page, "#timezone");
  await clear(page);
  await page.keyboard.type("Atlantis");
  await press(page, "form:has([value=save]) button");
  await says("This time zone is not known");
  await look("preferences, an unknown zone");

  await page.goto(own);
  await press(page, "button[value=one-month]");
  await says("You take a break until");
  await look("preferences, a break");
  await press(page, "button[value=resume]");

  await to(page, "#address");
  await page.keyboard.type(`new-${who}`);
  await press(page, "form:has([value=address]) button");
  await says("a mail is on its way to it");
  await page.goto(BASE + "address/" + mailed(`new-${who}`, "address"));
  await look("a new address");
  await press(page, "button");
  await says("Your address is changed");
  await look("a new address, changed");

  await page.goto(`${own}/delete`);
  await look("delete");
  await page.goto(`${BASE}unsubscribe/${token}`);
  await look("unsubscribe");
  await press(page, "button");
  await says("You are off the list");
  await look("unsubscribed");
  await to(page, "#reason");
  await page.keyboard.type("Too much of a good thing");
  await press(page, "button");
  await says("Thank you for saying so.");
  await look("unsubscribed, a reason");
  await page.goto(own);
  await says("You left");
  await look("preferences, left");
  await page.goto(`${BASE}preferences/nonsense`);
  await look("a forged link");
  await page.goto(`${BASE}preferences/${token}?lang=de`);
  await look("preferences in German");
  await page.close();
}

/// Goes to an element as people without a mouse do.
async function to(page, selector) {
  await page.$eval("body", () => document.activeElement?.blur());
  for (let steps = 0; steps < 120; steps++) {
    await page.keyboard.press("Tab");
    if (await page.$$eval(selector, (all) => all.includes(document.activeElement))) return;
  }
  throw new Error(`${page.url()}: the keyboard does not lead to ${selector}`);
}

async function press(page, selector) {
  await to(page, selector);
  await Promise.all([page.waitForNavigation({ timeout: 10_000 }), page.keyboard.press("Enter")]);
}

async function clear(page) {
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.press("Backspace");
}

async function examine(page, mode, name) {
  looked += 1;
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 0) problems.push(`${mode.name}, ${name}: ${wide} pixels too wide`);
  // axe waits by timers, which a page without scripts has none of.
  await page.setJavaScriptEnabled(true);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  await page.setJavaScriptEnabled(mode.script);
  for (const found of violations) {
    const nodes = found.nodes.map((node) => node.html.slice(0, 120)).join(" | ");
    problems.push(`${mode.name}, ${name}: ${found.id}: ${found.help}: ${nodes}`);
  }
  if (SHOTS) {
    const file = `${mode.name}-${name}.png`.replace(/[ ,]+/g, "-");
    await page.screenshot({ path: join(SHOTS, file), fullPage: true });
  }
}

/// The token behind `path` in the newest mail to `address`, which may take a moment to come.
function mailed(address, path) {
  for (let tries = 0; tries < 100; tries++) {
    const folder = join(OUTBOX, "mail");
    let files = [];
    try {
      files = readdirSync(folder).filter((name) => name.endsWith(".eml"));
    } catch {}
    for (const name of files) {
      const mail = readFileSync(join(folder, name), "utf8").replace(/=\r?\n/g, "").replaceAll("=3D", "=");
      const found = mail.match(new RegExp(`/${path}/([\\w-]{43})`));
      if (mail.includes(`To: ${address}`) && found) return found[1];
    }
    execFileSync("sleep", ["0.1"]);
  }
  throw new Error(`no mail to ${address}`);
}
