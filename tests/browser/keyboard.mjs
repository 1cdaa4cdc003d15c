// A person without a mouse.

/** Presses Tab until the element that `selector` names has the focus, which has to be seen. */
export async function tabTo(page, selector, most = 60) {
  for (let presses = 0; presses < most; presses += 1) {
    await page.keyboard.press("Tab");
    const reached = await page.evaluate((wanted) => document.activeElement.matches(wanted), selector);
    if (reached) {
      const seen = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== "none");
      if (!seen) {
        throw new Error(`nobody sees that ${selector} has the focus`);
      }
      return;
    }
  }
  throw new Error(`${selector} is not reached by ${most} presses of Tab`);
}

/** Presses Enter, and waits for the page that comes. */
export async function send(page) {
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
}

/** Goes to the link and follows it. */
export async function enter(page, selector) {
  await tabTo(page, selector);
  await send(page);
}
