// The other end of the lines that ../control.rs describes.
import { createInterface } from "node:readline";

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Tells what the client saw. */
export function see(...words) {
  console.log("-", ...words.map((word) => (typeof word === "string" ? word : JSON.stringify(word))));
}

/** Asks the runner for something and returns its answer. */
export async function ask(...words) {
  console.log("!", ...words);
  return (await answers.next()).value;
}

/** Nothing here takes longer. */
export function soon(promise, what = "it", ms = 20_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} takes too long`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Plays the scenario that the command line names, or lists them. */
export async function play(scenarios) {
  const name = process.argv[2];
  if (name) {
    await soon(scenarios[name](), name, 50_000);
  } else {
    Object.keys(scenarios).forEach((scenario) => see(scenario));
  }
  console.log("done");
  process.exit(0);
}
