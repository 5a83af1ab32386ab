// What each virtual user of artillery.yml does once it is connected: it listens, and the last to connect publishes.
//
// Artillery looks at a message only where a step waits for one, and counts nothing by user; so what arrives is counted
// here, on the WebSocket that it opened.
'use strict';

const fs = require('node:fs');

const task = JSON.parse(process.env.PEERS_TASK);
const { subscribers, texts } = task;
const messages = texts.length - 1;
const numbers = new Map(texts.map((text, number) => [text, number]));
const times = texts.map(() => new Array(subscribers).fill(0));
const having = texts.map(() => 0);
const sent = [];
const took = [];
const reached = [];
let opened = 0;

function mark() {
    const { user, system } = process.cpuUsage();
    return { seconds: performance.now() / 1e3, cpu: (user + system) / 1e6 };
}

// This file is read after the rest of artillery, and the first user arrives at once then.
const marks = [mark()];

function arrive(subscriber, text) {
    const at = performance.now();
    const number = numbers.get(text);
    if (number === undefined) throw new Error(`nobody sent ${text}`);
    times[number][subscriber] += 1;
    if (times[number][subscriber] > 1) return;
    if (number < messages) took.push((at - sent[number]) / 1e3);
    having[number] += 1;
    if (having[number] === subscribers) reached[number]();
}

async function publish(socket) {
    marks.push(mark());
    for (let number = 0; number <= messages; number += 1) {
        if (number === messages) marks.push(mark());
        await new Promise((resolve) => {
            reached[number] = resolve;
            setTimeout(resolve, task.reaching * 1e3).unref();
            sent[number] = performance.now();
            socket.send(texts[number]);
        });
    }
    const memory = process.resourceUsage().maxRSS;
    const versions = `artillery ${global.artillery.version} on Node.js ${process.version}`;
    const result = { versions, marks, memory, times: times.slice(0, messages), took };
    fs.writeFileSync(task.result, JSON.stringify(result));
}

// A function that is not asynchronous would be handed a callback instead.
async function perform(context) {
    const subscriber = opened;
    opened += 1;
    if (subscriber === subscribers) {
        await publish(context.ws);
        return;
    }
    await new Promise((resolve) => {
        context.ws.onmessage = ({ data }) => {
            arrive(subscriber, data);
            if (data === texts[messages]) resolve();
        };
    });
}

module.exports = { perform };
