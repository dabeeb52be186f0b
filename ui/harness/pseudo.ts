/** A language nobody speaks: English with every letter marked and two fifths more of them. What is not marked was not translated. */

const MARKED: { [letter: string]: string } = Object.fromEntries(
  [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((letter, i) => [
    letter,
    [..."áƀćđéƒğĥíĵķłɱńóƥɋřśťúṽŵẋýžÁƁĆĐÉƑĞĤÍĴĶŁṀŃÓƤɊŘŚŤÚṼŴẊÝŽ"][i] as string,
  ]),
);

export function pseudo(english: string): string {
  return english
    .split(/(\{\w+\})/)
    .map((part) => (part.startsWith("{") ? part : longer(part)))
    .join("");
}

/** Vowels twice, which makes words about two fifths longer. */
function longer(text: string): string {
  return [...text]
    .map((letter) => {
      const marked = MARKED[letter] ?? letter;
      return /[aeiouAEIOU]/.test(letter) ? marked + marked : marked;
    })
    .join("");
}
