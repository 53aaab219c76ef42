//! From text to [`Map`].

use crate::number::bare;
use crate::reader::Reader;
use crate::value::{Entry, Error, Item, Map, Place, Surroundings, Value};

/// Maps and arrays inside each other.
const DEPTH_MAX: usize = 32;
/// Files that include each other.
const INCLUDE_DEPTH_MAX: usize = 8;

/// Reads `text`. `file`: its name for messages, and what relative includes are relative to.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(file: &str, text: &str, surroundings: &mut dyn Surroundings) -> Result<Map, Error> {
    let mut parser = Parser { surroundings, scopes: vec![Map::default()], includes: 0, depth: 0 };
    parser.document(file, text)?;
    Ok(parser.scopes.pop().unwrap_or_default())
}

struct Parser<'s> {
    surroundings: &'s mut dyn Surroundings,
    /// The maps that are open, outermost first.
    scopes: Vec<Map>,
    includes: usize,
    depth: usize,
}

impl Parser<'_> {
    fn document(&mut self, file: &str, text: &str) -> Result<(), Error> {
        let mut reader = Reader::new(file, text);
        self.entries(&mut reader, None)
    }

    /// Reads entries up to the closing brace of the map opened at `opened`, or to the end of the file.
    fn entries(&mut self, reader: &mut Reader<'_>, opened: Option<&Place>) -> Result<(), Error> {
        loop {
            reader.skip_blank(&[';', ',']);
            let place = reader.place();
            match (reader.peek(), opened) {
                (None, None) => return Ok(()),
                (None, Some(opened)) => return Err(Error::new(opened, "map is not closed")),
                (Some('}'), Some(_)) => {
                    reader.next();
                    return Ok(());
                }
                (Some('}'), None) => return Err(Error::new(&place, "closing brace without an open map")),
                (Some(_), _) => self.entry(reader, place)?,
            }
        }
    }

    fn entry(&mut self, reader: &mut Reader<'_>, place: Place) -> Result<(), Error> {
        let key = key(reader, &place)?;
        reader.skip_spaces();
        let separated = reader.eat(':') || reader.eat('=');
        if key == "include" && !separated {
            return self.include(reader, &place);
        }
        reader.skip_blank(&[]);
        let item = self.item(reader).map_err(|error| missing(error, &key))?;
        if let Some(scope) = self.scopes.last_mut() {
            scope.set(Entry { key, place, item });
        }
        Ok(())
    }

    fn include(&mut self, reader: &mut Reader<'_>, place: &Place) -> Result<(), Error> {
        reader.skip_spaces();
        let item = self.item(reader)?;
        let Value::String(path) = item.value else { return Err(Error::new(&item.place, "include needs a path")) };
        if self.includes == INCLUDE_DEPTH_MAX {
            return Err(Error::new(place, "files include each other too deeply"));
        }
        let (name, text) = self
            .surroundings
            .include(&path, reader.file())
            .map_err(|reason| Error::new(&item.place, format!("cannot include {path}: {reason}")))?;
        self.includes += 1;
        let depth = std::mem::take(&mut self.depth);
        self.document(&name, &text)?;
        self.depth = depth;
        self.includes -= 1;
        Ok(())
    }

    fn item(&mut self, reader: &mut Reader<'_>) -> Result<Item, Error> {
        let place = reader.place();
        let value = match reader.peek() {
            Some('{') => self.nested(reader, &place, Self::map)?,
            Some('[') => self.nested(reader, &place, Self::array)?,
            Some('"') => Value::String(quoted(reader, &place)?),
            Some('\'') => Value::String(raw(reader, &place)?),
            Some('$') => self.variable(reader, &place)?,
            Some(_) | None => bare_word(reader, &place)?,
        };
        Ok(Item { value, place })
    }

    fn nested(
        &mut self,
        reader: &mut Reader<'_>,
        place: &Place,
        read: fn(&mut Self, &mut Reader<'_>, &Place) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        if self.depth == DEPTH_MAX {
            return Err(Error::new(place, "maps and arrays are nested too deeply"));
        }
        self.depth += 1;
        reader.next();
        let value = read(self, reader, place)?;
        self.depth -= 1;
        Ok(value)
    }

    fn map(&mut self, reader: &mut Reader<'_>, place: &Place) -> Result<Value, Error> {
        self.scopes.push(Map::default());
        self.entries(reader, Some(place))?;
        Ok(Value::Map(self.scopes.pop().unwrap_or_default()))
    }

    fn array(&mut self, reader: &mut Reader<'_>, place: &Place) -> Result<Value, Error> {
        let mut items = Vec::new();
        loop {
            reader.skip_blank(&[',']);
            match reader.peek() {
                None => return Err(Error::new(place, "array is not closed")),
                Some(']') => {
                    reader.next();
                    return Ok(Value::Array(items));
                }
                Some('}') => return Err(Error::new(&reader.place(), "closing brace inside an array")),
                Some(_) => items.push(self.item(reader)?),
            }
        }
    }

    fn variable(&self, reader: &mut Reader<'_>, place: &Place) -> Result<Value, Error> {
        reader.next();
        let name = reader.take_while(is_bare);
        let known = self.scopes.iter().rev().find_map(|scope| scope.get(name));
        if let Some(item) = known {
            return Ok(item.value.clone());
        }
        match self.surroundings.variable(name) {
            Some(text) => Ok(bare(&text)),
            None => Err(Error::new(place, format!("variable ${name} is not set"))),
        }
    }
}

fn key(reader: &mut Reader<'_>, place: &Place) -> Result<String, Error> {
    let key = match reader.peek() {
        Some('"') => quoted(reader, place)?,
        Some('\'') => raw(reader, place)?,
        Some(_) | None => reader.take_while(|letter| is_bare(letter) && letter != ':' && letter != '=').to_owned(),
    };
    if key.is_empty() { Err(Error::new(place, "a key is expected here")) } else { Ok(key) }
}

fn missing(error: Error, key: &str) -> Error {
    if error.text == NO_VALUE { Error { text: format!("{key} has no value"), ..error } } else { error }
}

const NO_VALUE: &str = "a value is expected here";

fn is_bare(letter: char) -> bool {
    !letter.is_whitespace() && !['{', '}', '[', ']', ',', ';', '#', '"', '\''].contains(&letter)
}

fn bare_word(reader: &mut Reader<'_>, place: &Place) -> Result<Value, Error> {
    match reader.take_while(is_bare) {
        "" => Err(Error::new(place, NO_VALUE)),
        word => Ok(bare(word)),
    }
}

fn raw(reader: &mut Reader<'_>, place: &Place) -> Result<String, Error> {
    reader.next();
    let text = reader.take_while(|letter| letter != '\'').to_owned();
    if reader.eat('\'') { Ok(text) } else { Err(Error::new(place, "string is not closed")) }
}

fn quoted(reader: &mut Reader<'_>, place: &Place) -> Result<String, Error> {
    reader.next();
    let mut text = String::new();
    loop {
        let here = reader.place();
        match reader.next() {
            None => return Err(Error::new(place, "string is not closed")),
            Some('"') => return Ok(text),
            Some('\\') => text.push(escape(reader).ok_or_else(|| Error::new(&here, "unknown escape in a string"))?),
            Some(letter) => text.push(letter),
        }
    }
}

fn escape(reader: &mut Reader<'_>) -> Option<char> {
    match reader.next()? {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        letter @ ('"' | '\\') => Some(letter),
        'x' => char::from_u32(reader.next()?.to_digit(16)? * 16 + reader.next()?.to_digit(16)?),
        _ => None,
    }
}
