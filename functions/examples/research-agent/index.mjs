// Answers a question from the pages beside it: the model searches them, reads what it finds, and then answers.
//
//   com.example.question.asked "a question"
//     -> com.example.question.answered { question, answer }
//
// Environment: ANTHROPIC_API_KEY (required), ANTHROPIC_BASE_URL and MODEL (optional).
import { readdir, readFile } from 'node:fs/promises';

import { agent } from 'millrace/agent';

const FOLDER = new URL('pages/', import.meta.url);
const PAGES = (await readdir(FOLDER)).map((file) => file.replace(/\.md$/, ''));
const textOf = (page) => readFile(new URL(`${page}.md`, FOLDER), 'utf8');

const search = {
  name: 'search',
  description: 'Lists the lines of all pages that have one of the words, each with its page.',
  input_schema: { type: 'object', properties: { words: { type: 'string' } }, required: ['words'] },
  async run({ words }) {
    const wanted = words.toLowerCase().split(/\W+/).filter(Boolean);
    const lines = await Promise.all(
      PAGES.map(async (page) => (await textOf(page)).split('\n').map((line) => ({ page, line }))),
    );
    return lines.flat().filter(({ line }) => wanted.some((word) => line.toLowerCase().includes(word)));
  },
};

const read = {
  name: 'read',
  description: 'Gives the whole text of a page.',
  input_schema: { type: 'object', properties: { page: { type: 'string', enum: PAGES } }, required: ['page'] },
  run({ page }) {
    // What a tool throws is told to the model, which can do better.
    if (!PAGES.includes(page)) throw new Error(`there is no page ${page}: expected one of ${PAGES.join(', ')}`);
    return textOf(page);
  },
};

export default agent({
  system: 'Answer in at most three sentences, and only with what the pages say. If they do not say it, say so.',
  tools: [search, read],
  reply: (event, { answer }) => ({
    type: 'com.example.question.answered',
    data: { question: event.data, answer },
  }),
});
