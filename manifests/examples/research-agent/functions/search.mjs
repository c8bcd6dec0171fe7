// One search: the sentences that have a word. A real one would ask a search engine here.
//
//   "word" -> com.example.search.made { word, found: [sentence, …] }
const SENTENCES = [
  'A water wheel turns the force of a stream into rotation.',
  'An overshot wheel is fed from above, and uses most of the force of the water.',
  'An undershot wheel stands in the stream, and uses about a fifth of it.',
  'A millrace is the channel that leads the water to the wheel.',
];

export default ({ data: word }) => ({
  type: 'com.example.search.made',
  data: { word, found: SENTENCES.filter((it) => it.toLowerCase().includes(word)) },
});
