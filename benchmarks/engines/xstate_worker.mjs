// The reference conversation on XState, as a worker with the protocol of worker.py.
//
//   node xstate_worker.mjs            a worker: JSON lines on stdin and stdout
//   node xstate_worker.mjs --cold     import, build, one turn: the times on one line
//
// A turn is an actor restored from its persisted snapshot (JSON), one event, and the snapshot persisted again: the way
// XState documents. Runs in the folder where npm installed xstate.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const now = () => Number(process.hrtime.bigint());
const residentMb = () => process.memoryUsage.rss() / 1e6;

async function load() {
  const cpuBegun = process.cpuUsage();
  const begun = now();
  const require = createRequire(pathToFileURL(join(process.cwd(), "package.json")));
  const xstate = require("xstate");
  const imported = now();
  const cpu = process.cpuUsage(cpuBegun);
  const bot = new Bot(xstate);
  return [bot, { import_ms: (imported - begun) / 1e6, import_cpu_ms: (cpu.user + cpu.system) / 1e3, build_ms: (now() - imported) / 1e6 }];
}

const EMAIL = /^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$/;
const NUMBER = /^[+-]?\d+(\.\d+)?$/;
const NEEDS = ["sales", "support", "other"];
const BUTTONS = "[sales=Sales|support=Support|other=Other]";

class Bot {
  constructor(xstate) {
    this.xstate = xstate;
    this.stored = new Map();
    this.texts = [];
    this.rebuild();
  }

  rebuild() {
    const { assign, createMachine } = this.xstate;
    const say = (text) => ({ context }) => { this.texts.push(typeof text === "string" ? text : text(context)); };
    const question = (ask, error, accepts, variable, value, target) => ({
      entry: say(ask),
      on: {
        ANSWER: [
          { guard: ({ event }) => accepts(event.text), actions: assign({ [variable]: ({ event }) => value(event.text) }), target },
          { actions: say(error) },
        ],
      },
    });
    const message = (text, target) => ({ entry: say(text), always: target });
    const longEnough = (text) => text.trim().length >= 2;
    const trimmed = (text) => text.trim();
    const same = (text) => text;
    const order = {
      initial: "q_order",
      states: {
        q_order: question("What is your order number?", "Please give an order number of at least 2 characters.", longEnough, "order", trimmed, "m_order"),
        m_order: message((memory) => `Order ${memory.order} noted for ${memory.email}.`, "ret"),
        ret: { type: "final" },
      },
      onDone: "end",
    };
    this.machine = createMachine({
      id: "reference",
      initial: "new",
      context: {},
      states: {
        new: { on: { ANSWER: "start" } },
        start: message("Welcome to Acme!", "q_name"),
        q_name: question("What is your name?", "Please give a name of at least 2 characters.", longEnough, "name", trimmed, "m_hello"),
        m_hello: message((memory) => `Nice to meet you, ${memory.name}.`, "q_email"),
        q_email: question("What is your e-mail?", "That is not a valid e-mail. Please try again.", (text) => EMAIL.test(text), "email", same, "q_age"),
        q_age: question("How old are you?", "Please send a number.", (text) => NUMBER.test(text), "age", Number, "c_adult"),
        c_adult: { always: [{ guard: ({ context }) => context.age >= 18, target: "q_need" }, { target: "m_minor" }] },
        m_minor: message("Sorry, you must be 18 or older.", "end"),
        q_need: question(`What do you need? ${BUTTONS}`, "Please choose one of the options.", (text) => NEEDS.includes(text), "need", same, "c_need"),
        c_need: { always: [{ guard: ({ context }) => context.need === "support", target: "m_support" }, { target: "end" }] },
        m_support: message((memory) => `Connecting you to support, ${memory.name}.`, "j_order"),
        j_order: order,
        end: { type: "final", entry: say((memory) => `Thank you, ${memory.name}. Goodbye!`) },
      },
    });
  }

  turn(conversation, text) {
    this.texts = [];
    const stored = this.stored.get(conversation);
    const actor = this.xstate.createActor(this.machine, stored ? { snapshot: JSON.parse(stored) } : undefined);
    actor.start();
    actor.send({ type: "ANSWER", text });
    const over = actor.getSnapshot().status === "done";
    this.stored.set(conversation, over ? "" : JSON.stringify(actor.getPersistedSnapshot()));
    actor.stop();
    return this.texts;
  }

  drop(conversation) {
    this.stored.delete(conversation);
  }

  storedBytes(conversation) {
    return Buffer.byteLength(this.stored.get(conversation) ?? "");
  }
}

function run(bot, conversations, seconds) {
  const times = [];
  let cpu = 0, wrong = 0, number = 0;
  const stop = now() + seconds * 1e9;
  while (now() < stop) {
    const turns = conversations[number % conversations.length];
    const key = `timed-${number}`;
    const answers = [];
    const cpuBegun = process.cpuUsage();
    for (const [said] of turns) {
      const begun = now();
      const answer = bot.turn(key, said);
      times.push(now() - begun);
      answers.push(answer);
    }
    const used = process.cpuUsage(cpuBegun);
    cpu += used.user + used.system;
    turns.forEach(([, expected], place) => { if (JSON.stringify(answers[place]) !== JSON.stringify(expected)) wrong += 1; });
    bot.drop(key);
    number += 1;
  }
  times.sort((one, other) => one - other);
  const total = times.reduce((sum, time) => sum + time, 0);
  return {
    turns: times.length,
    turns_per_second: times.length / (total / 1e9),
    p50_us: times[Math.floor(times.length / 2)] / 1e3,
    p99_us: times[Math.floor((times.length * 99) / 100)] / 1e3,
    cpu_us: cpu / times.length,
    wrong,
    rss_mb: residentMb(),
  };
}

async function serve() {
  let bot = null;
  let conversations = [];
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    let answer = {};
    try {
      if (order.do === "load") {
        conversations = JSON.parse(readFileSync(order.conversations, "utf8"));
        const before = residentMb();
        [bot, answer] = await load();
        Object.assign(answer, { rss_before_mb: before, rss_loaded_mb: residentMb() });
      } else if (bot === null) answer.error = "not loaded";
      else if (order.do === "turn") answer.texts = bot.turn(order.conversation, order.text);
      else if (order.do === "drop") bot.drop(order.conversation);
      else if (order.do === "rebuild") bot.rebuild();
      else if (order.do === "sizes") {
        answer.sizes = conversations[0].map(([said]) => (bot.turn("sized", said), bot.storedBytes("sized")));
        bot.drop("sized");
      } else if (order.do === "run") answer = run(bot, conversations, order.seconds);
    } catch (error) {
      answer.error = String(error).slice(0, 1000);
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
}

if (process.argv.includes("--cold")) {
  const [bot, times] = await load();
  const begun = now();
  bot.turn("first", "hi");
  console.log(JSON.stringify({ ...times, first_turn_ms: (now() - begun) / 1e6 }));
} else {
  await serve();
}
