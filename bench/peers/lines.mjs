// One end of the conversation between the bench and a process that it measures: see lines.py.

import { createInterface } from 'node:readline'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

const NUMBER_SIZE = 8

/** The wall clock in ms, finer than Date.now(). */
export const now = () => performance.timeOrigin + performance.now()

export function makeRecord (number, size) {
  const digits = randomBytes(Math.ceil((size - NUMBER_SIZE) / 2)).toString('hex')
  return Buffer.from(String(number).padStart(NUMBER_SIZE, '0') + digits.slice(0, size - NUMBER_SIZE))
}

/** What one reader got: the number of each record and when it came first. */
export class Inbox {
  #came = new Map()

  take (data) {
    this.takeNumber(Number(Buffer.from(data.subarray(0, NUMBER_SIZE)).toString()))
  }

  takeNumber (number) {
    if (!this.#came.has(number)) this.#came.set(number, now())
  }

  count = async () => ({ count: this.#came.size })

  arrivals = async ({ first, count }) =>
    ({ arrivals: Array.from({ length: count }, (_, index) => this.#came.get(first + index) ?? null) })
}

/** Hand over records at a steady pace, or (per_s 0) one right after the other. */
export async function publish (handOver, { first, count, size, per_s: perSecond }) {
  const sent = []
  const begin = now()
  for (let index = 0; index < count; index++) {
    const record = makeRecord(first + index, size)
    if (perSecond) await sleep(Math.max(0, begin + index * 1000 / perSecond - now()))
    sent.push(now())
    await handOver(record)
  }
  return { sent }
}

/** Say what there is to know of this process, then answer requests until there are no more. */
export async function serve (ready, handlers) {
  console.log(JSON.stringify(ready))
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line)
    console.log(JSON.stringify(await handlers[request.do](request)))
  }
}
