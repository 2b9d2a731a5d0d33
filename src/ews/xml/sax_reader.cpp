// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/xml/sax_reader.hpp"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <optional>
#include <vector>

#include "base/text.hpp"

namespace syncline::ews::xml {
namespace {

// libxml2 keeps every different name it meets; real vocabularies need some kilobytes.
constexpr std::size_t most_name_octets = 8 << 20;
// It looks for the end of a tag in what it holds, so what it holds stays small.
constexpr std::size_t piece_octets = 32 * 1024;

std::string_view view(const xmlChar* text) noexcept {
  return text == nullptr ? std::string_view{} : std::string_view(reinterpret_cast<const char*>(text));
}

}  // namespace

struct SaxReader::Parser {
  SaxHandler* handler;
  xmlParserCtxtPtr context = nullptr;
  std::optional<Error> error = std::nullopt;
  std::uint64_t error_line = 0;
  std::uint64_t lines_before = 0;  ///< of the documents read before this one
  std::uint64_t elements = 0;
  std::vector<Attribute> attributes = {};
  std::vector<NamespaceDeclaration> declarations = {};

  explicit Parser(SaxHandler& to) : handler(&to) {}
  ~Parser() { xmlFreeParserCtxt(context); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  void open();

  void stop(Error what) {
    if (error) return;
    error = std::move(what);
    error_line = lines_before + static_cast<std::uint64_t>(std::max(1, xmlSAX2GetLineNumber(context)));
    xmlStopParser(context);
  }

  /// An exception must not pass through libxml2's frames.
  template <class Call>
  void guarded(Call&& call) noexcept {
    if (error) return;
    try {
      if (Result<void> told = call(); !told) stop(std::move(told.error()));
    } catch (const std::bad_alloc&) {
      stop(Error{ErrorDomain::xml, "too-large", "there is not enough memory for it"});
    }
  }

  static void start(void* self, const xmlChar* local, const xmlChar* prefix, const xmlChar* space,
                    int declaration_count, const xmlChar** declared, int attribute_count, int,
                    const xmlChar** given) {
    auto& parser = *static_cast<Parser*>(self);
    parser.guarded([&]() -> Result<void> {
      // XML_PARSE_HUGE lifts libxml2's own limit on this.
      if ((++parser.elements & 0xFF) == 0 && xmlDictGetUsage(parser.context->dict) > most_name_octets) {
        return fail(ErrorDomain::xml, "too-large", "it has too many different names");
      }
      parser.attributes.clear();
      parser.declarations.clear();
      for (int i = 0; i < declaration_count; ++i) {
        parser.declarations.push_back({view(declared[2 * i]), view(declared[2 * i + 1])});
      }
      for (int i = 0; i < attribute_count; ++i) {
        const xmlChar** const one = given + 5 * i;
        const auto length = static_cast<std::size_t>(one[4] - one[3]);
        parser.attributes.push_back(
            {view(one[2]), view(one[0]), view(one[1]), {reinterpret_cast<const char*>(one[3]), length}});
      }
      return parser.handler->start_element(
          {view(space), view(local), view(prefix), parser.attributes, parser.declarations});
    });
  }

  static void end(void* self, const xmlChar*, const xmlChar*, const xmlChar*) {
    auto& parser = *static_cast<Parser*>(self);
    parser.guarded([&] { return parser.handler->end_element(); });
  }

  static void characters(void* self, const xmlChar* text, int length) {
    auto& parser = *static_cast<Parser*>(self);
    parser.guarded([&] {
      return parser.handler->text({reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)});
    });
  }

  static void report(void* self, xmlErrorPtr reported) {
    auto& parser = *static_cast<Parser*>(self);
    // Undeclared prefixes and the like are errors without being fatal: such documents are read leniently.
    if (parser.error || reported->level != XML_ERR_FATAL) return;
    if (reported->code == XML_ERR_USER_STOP) return;
    const bool is_memory = reported->code == XML_ERR_NO_MEMORY;
    std::string message(
        text::trim(reported->message == nullptr ? "it is not well-formed" : reported->message));
    parser.error = Error{ErrorDomain::xml, is_memory ? "too-large" : "not-xml",
                         is_memory ? "there is not enough memory for it" : "not well-formed XML: " + message};
    parser.error_line = parser.lines_before + static_cast<std::uint64_t>(std::max(1, reported->line));
  }
};

/// A fresh context for the next document.
void SaxReader::Parser::open() {
  xmlFreeParserCtxt(context);
  xmlSAXHandler callbacks = {};
  callbacks.initialized = XML_SAX2_MAGIC;
  callbacks.startElementNs = &Parser::start;
  callbacks.endElementNs = &Parser::end;
  callbacks.characters = &Parser::characters;
  callbacks.ignorableWhitespace = &Parser::characters;
  callbacks.cdataBlock = &Parser::characters;
  callbacks.serror = &Parser::report;
  context = xmlCreatePushParserCtxt(&callbacks, this, nullptr, 0, nullptr);
  if (context == nullptr) throw std::bad_alloc();
  // NOENT: without it attribute values keep "&amp;" as "&#38;". There are no other entities, the scanner saw
  // to that.
  xmlCtxtUseOptions(context, XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOCDATA);
  xmlSwitchEncoding(context, XML_CHAR_ENCODING_UTF8);
}

const std::string_view* StartTag::attribute(std::string_view name) const noexcept {
  for (const Attribute& one : attributes) {
    if (one.space.empty() && one.local == name) return &one.value;
  }
  return nullptr;
}

SaxReader::SaxReader(SaxHandler& handler, Limits limits, Documents documents)
    : documents_(documents), scanner_(limits), parser_(std::make_unique<Parser>(handler)) {
  static std::once_flag once;
  std::call_once(once, [] { xmlInitParser(); });
  parser_->open();
}

SaxReader::~SaxReader() = default;

Result<void> SaxReader::parse(std::string_view text) {
  while (!parser_->error && !text.empty()) {
    const std::size_t length = std::min(text.size(), piece_octets);
    xmlParseChunk(parser_->context, text.data(), static_cast<int>(length), 0);
    text.remove_prefix(length);
  }
  if (parser_->error) return fail(*parser_->error);
  return {};
}

Result<void> SaxReader::end_document() {
  xmlParseChunk(parser_->context, nullptr, 0, 1);
  if (parser_->error) return fail(*parser_->error);
  return parser_->handler->end_document();
}

/// Hands what the scanner made to the parser, document by document.
Result<void> SaxReader::parse() {
  std::size_t done = 0;
  Result<void> result;
  for (const std::size_t end : ends_) {
    result = parse(std::string_view(clean_).substr(done, end - done));
    if (result) result = end_document();
    if (!result) break;
    parser_->lines_before +=
        static_cast<std::uint64_t>(std::max(1, xmlSAX2GetLineNumber(parser_->context))) - 1;
    parser_->open();
    done = end;
  }
  if (result) result = parse(std::string_view(clean_).substr(done));
  ends_.clear();
  clean_.clear();
  return result;
}

Result<void> SaxReader::feed(std::string_view octets) {
  // In pieces, so that what the scanner makes of them stays small however much is handed over at once.
  while (!octets.empty()) {
    const std::string_view piece = octets.substr(0, piece_octets);
    octets.remove_prefix(piece.size());
    const auto scanned = scanner_.feed(piece, clean_, documents_ == Documents::sequence ? &ends_ : nullptr);
    if (auto parsed = parse(); !parsed) return parsed;
    if (!scanned) return scanned;
  }
  return {};
}

Result<void> SaxReader::finish() {
  const auto scanned = scanner_.finish(clean_, documents_ == Documents::sequence ? &ends_ : nullptr);
  if (auto parsed = parse(); !parsed) return parsed;
  // A parser told that this is all would complain about the missing end; the scanner's word is the better
  // one.
  if (!scanned) return scanned;
  return documents_ == Documents::one ? end_document() : Result<void>{};
}

std::uint64_t SaxReader::line() const noexcept {
  return parser_->error ? parser_->error_line : scanner_.line();
}

}  // namespace syncline::ews::xml
