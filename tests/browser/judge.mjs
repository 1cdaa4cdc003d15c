// Judges pages by axe-core, light and dark, on a desktop and a phone, and takes their pictures.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
// A long list tells nothing more below this.
const TALLEST_PICTURE = 1700;

export class Judge {
  judged = 0;
  problems = [];

  /** `pictures` is a folder to fill, or nothing; no text of `hidden` may stand in one. */
  constructor(pictures, hidden) {
    this.pictures = pictures;
    this.hidden = hidden;
  }

  /** Judges the page as it is, and leaves it as it was. */
  async look(page, name) {
    for (const [width, size] of [["desktop", DESKTOP], ["phone", PHONE]]) {
      await page.setViewportSize(size);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await this.#judge(page, `${name}, ${width}, ${colorScheme}`);
      }
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(DESKTOP);
  }

  async #judge(page, where) {
    // Evaluated by the browser's own debugger: the page's Content-Security-Policy stays as it is.
    await page.evaluate(AXE);
    const found = await page.evaluate(async (standards) => {
      const { violations } = await axe.run(document, { runOnly: standards, resultTypes: ["violations"] });
      return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).join(" | ")}`);
    }, STANDARDS);
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) {
      found.push("the page is wider than the window");
    }
    this.judged += 1;
    this.problems.push(...found.map((problem) => `${where}: ${problem}`));
  }

  /** Judges the page, and takes its picture at both widths. */
  async show(page, name) {
    await this.look(page, name);
    if (!this.pictures) {
      return;
    }
    const text = await page.evaluate(() => document.body.innerText + [...document.querySelectorAll("input:not([type=password])")].map((it) => it.value));
    if (this.hidden.some((secret) => text.includes(secret))) {
      throw new Error(`a secret would stand in the picture ${name}`);
    }
    for (const size of [PHONE, DESKTOP]) {
      await page.setViewportSize(size);
      const whole = await page.evaluate(() => document.documentElement.scrollHeight);
      const clip = { x: 0, y: 0, width: size.width, height: Math.min(whole, TALLEST_PICTURE) };
      await page.screenshot({ path: join(this.pictures, `${name}-${size.width}.png`), fullPage: true, clip });
    }
  }
}
