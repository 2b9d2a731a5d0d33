// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/xml/scanner.hpp"

#include <array>
#include <cstring>
#include <gsl/util>

#include "base/text.hpp"

namespace syncline::ews::xml {
namespace {

constexpr char32_t replacement = 0xFFFD;
constexpr char32_t byte_order_mark = 0xFEFF;
// Line breaks of a comment are kept so that a parser counts lines as we do, but a comment may not be a flood.
constexpr std::uint32_t most_blank_lines = 4096;
constexpr std::size_t longest_entity_name = 4;

unexpected<Error> not_xml(std::string message) {
  return fail(ErrorDomain::xml, "not-xml", std::move(message));
}
unexpected<Error> too_large(std::string message) {
  return fail(ErrorDomain::xml, "too-large", std::move(message));
}

constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
constexpr bool is_high(char c) noexcept {
  return static_cast<unsigned char>(c) >= 0x80;
}
constexpr bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 && !is_blank(c);
}
constexpr bool is_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}
constexpr bool is_name_start(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || is_high(c);
}

using Stops = std::array<bool, 256>;
constexpr Stops make_stops(std::string_view also) {
  Stops stops{};
  for (std::size_t i = 0; i < 256; ++i) stops[i] = i < 0x20 || i >= 0x80;
  for (const char c : also) stops[static_cast<unsigned char>(c)] = true;
  return stops;
}
constexpr Stops tag_stops = make_stops("<>/='\"");
constexpr Stops value_stops = make_stops("<&'\"");
constexpr Stops end_tag_stops = make_stops("<>");
constexpr Stops pi_stops = make_stops("?>");
constexpr Stops comment_stops = make_stops("->");

const char* skip(const Stops& stops, const char* at, const char* end) noexcept {
  while (at != end && !stops[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

/// The first octet that is `a`, `b`, a control character or not ASCII. Eight at a time: this is where the
/// scanner spends its time on bulk content.
template <char a, char b>
const char* skip_plain(const char* at, const char* end) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t highs = 0x8080808080808080;
  const auto special = [](std::uint64_t x) {
    const std::uint64_t xa = x ^ (ones * static_cast<unsigned char>(a));
    const std::uint64_t xb = x ^ (ones * static_cast<unsigned char>(b));
    return (x | (x - ones * 0x20) | (xa - ones) | (xb - ones)) & highs;
  };
  while (end - at >= 16) {
    std::uint64_t x;
    std::uint64_t y;
    std::memcpy(&x, at, 8);
    std::memcpy(&y, at + 8, 8);
    if ((special(x) | special(y)) != 0) break;
    at += 16;
  }
  while (at != end && *at != a && *at != b && static_cast<unsigned char>(*at) >= 0x20 && !is_high(*at)) ++at;
  return at;
}

}  // namespace

Result<void> Scanner::feed(std::string_view octets, std::string& out,
                           std::vector<std::size_t>* document_ends) {
  if (document_ends == nullptr) {
    octets_ += octets.size();
    if (octets_ > limits_.octets) {
      return too_large("the text is longer than " + std::to_string(limits_.octets) + " octets");
    }
  }
  const auto text = transcoder_.feed(octets);
  if (!text) return fail(text.error());
  return scan(*text, out, document_ends);
}

Result<void> Scanner::finish(std::string& out, std::vector<std::size_t>* document_ends) {
  const auto text = transcoder_.finish();
  if (!text) return fail(text.error());
  if (auto scanned = scan(*text, out, document_ends); !scanned) return scanned;
  if (multibyte_count_ != 0) {
    if (auto settled = settle_multibyte(out); !settled) return settled;
  }
  if (state_ != State::text || (root_seen_ && !root_done_)) {
    return fail(ErrorDomain::xml, "truncated", "the text ends before its last element does");
  }
  if (!root_seen_ && document_ends == nullptr) return not_xml("there is no XML element in it");
  return {};
}

Result<void> Scanner::open_element() {
  if (root_done_) return not_xml("there is a second element after the root element");
  if (depth_ >= limits_.depth) {
    return fail(ErrorDomain::xml, "too-deep",
                "elements are nested more than " + std::to_string(limits_.depth) + " deep");
  }
  if (++elements_ > limits_.elements) {
    return too_large("there are more than " + std::to_string(limits_.elements) + " elements");
  }
  root_seen_ = true;
  attributes_ = 0;
  tag_octets_ = 0;
  return {};
}

void Scanner::close_root(const std::string& out, std::vector<std::size_t>* document_ends) {
  root_done_ = true;
  ++documents_;
  if (document_ends == nullptr) return;
  document_ends->push_back(out.size());
  root_seen_ = false;
  root_done_ = false;
  elements_ = 0;
}

Result<void> Scanner::replace(std::string& out) {
  if (state_ == State::comment || state_ == State::pi) return {};
  if (depth_ == 0 && state_ == State::text)
    return not_xml("there is something that is not XML outside the root element");
  text::append_utf8(out, replacement);
  ++replaced_;
  return {};
}

Result<void> Scanner::put_character(char32_t character, std::string& out) {
  if (state_ == State::comment || state_ == State::pi) return {};
  if (!text::is_xml_char(character)) return replace(out);
  if (depth_ == 0 && state_ == State::text) {
    if (character == byte_order_mark) return {};
    return not_xml("there is text outside the root element");
  }
  text::append_utf8(out, character);
  return {};
}

/// Takes octets of a sequence that is being put together; it is complete when its length is reached, or when
/// something follows that does not belong to it.
const char* Scanner::take_multibyte(const char* at, const char* end) {
  if (multibyte_count_ == 0) {
    const auto lead = static_cast<unsigned char>(*at);
    multibyte_need_ = lead >= 0xF0 && lead < 0xF8   ? 4
                      : lead >= 0xE0 && lead < 0xF0 ? 3
                      : lead >= 0xC0 && lead < 0xE0 ? 2
                                                    : 1;
    multibyte_[multibyte_count_++] = *at++;
  }
  while (multibyte_count_ < multibyte_need_ && at != end && is_continuation(*at))
    multibyte_[multibyte_count_++] = *at++;
  if (at != end) multibyte_need_ = multibyte_count_;
  return at;
}

Result<void> Scanner::settle_multibyte(std::string& out) {
  const std::string_view sequence(multibyte_, multibyte_count_);
  multibyte_count_ = 0;
  const auto point = text::next_code_point(sequence);
  if (point && point->length == sequence.size()) return put_character(point->value, out);
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    if (auto done = replace(out); !done) return done;
  }
  return {};
}

void Scanner::begin_blanked(State state, std::string& out) {
  state_ = state;
  run_ = 0;
  blank_lines_ = 0;
  if (depth_ > 0) out += "<!--";
}

void Scanner::end_blanked(std::string& out) {
  state_ = State::text;
  if (depth_ > 0) out += "-->";
}

Result<void> Scanner::end_reference(std::string& out) {
  if (!has_digits_) return not_xml("there is a character reference without a number");
  state_ = after_reference_;
  const char32_t c = number_;
  if (!text::is_xml_char(c)) return replace(out);
  if (c < 0x20 || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' || c == ']') {
    out += "&#" + std::to_string(number_) + ';';
  } else {
    text::append_utf8(out, c);
  }
  return {};
}

Result<void> Scanner::scan(std::string_view text, std::string& out, std::vector<std::size_t>* document_ends) {
  const char* at = text.data();
  const char* const end = at + text.size();
  if (out.capacity() - out.size() < text.size()) out.reserve(out.size() + text.size() + text.size() / 8);
  const char* document_from = at;  // in a sequence of documents: what octets_ does not contain yet
  const auto too_long_document = [&] {
    return too_large("a document is longer than " + std::to_string(limits_.octets) + " octets");
  };
  // Most of the text stays as it is: a run of it is copied when something else is to be written.
  const char* run = nullptr;
  const auto pass = [&](const char* to) {
    if (run == nullptr) run = at;
    at = to;
  };
  const auto flush = [&] {
    if (run != nullptr) out.append(run, static_cast<std::size_t>(at - run));
    run = nullptr;
  };
  const gsl::final_action flush_at_last(flush);
  // True: the tag is too long.
  const auto count_tag = [&](std::size_t octets) {
    tag_octets_ +=
        static_cast<std::uint32_t>(std::min<std::size_t>(octets, limits_.tag_octets + std::size_t{1}));
    return tag_octets_ > limits_.tag_octets;
  };
  const auto too_long_tag = [&] {
    return too_large("a tag is longer than " + std::to_string(limits_.tag_octets) + " octets");
  };

  while (at != end) {
    if (document_ends != nullptr && !root_seen_) {
      // Blanks that keep a connection alive belong to no document.
      octets_ = 0;
      document_from = at;
    } else if (document_ends != nullptr &&
               octets_ + static_cast<std::size_t>(at - document_from) > limits_.octets) {
      return too_long_document();
    }
    if (multibyte_count_ != 0) {
      flush();
      at = take_multibyte(at, end);
      if (multibyte_count_ < multibyte_need_) break;
      if (auto settled = settle_multibyte(out); !settled) return settled;
      continue;
    }
    const char c = *at;
    if (is_high(c) && state_ != State::less_than && state_ < State::reference && state_ != State::bang &&
        state_ != State::pi_target && state_ != State::start_tag_slash) {
      run_ = 0;
      if (state_ == State::start_tag || state_ == State::value || state_ == State::end_tag) {
        if (count_tag(1)) return too_long_tag();
      }
      // The whole sequence is usually here; the octet-by-octet way is for cuts and for what is broken.
      const auto point = text::next_code_point({at, static_cast<std::size_t>(end - at)});
      if (point) {
        const bool stays =
            (state_ == State::text && depth_ > 0) || state_ == State::value || state_ == State::cdata;
        if (stays && text::is_xml_char(point->value)) {
          pass(at + point->length);
          continue;
        }
        flush();
        if (auto put = put_character(point->value, out); !put) return put;
        at += point->length;
        continue;
      }
      flush();
      at = take_multibyte(at, end);
      if (multibyte_count_ < multibyte_need_) break;
      if (auto settled = settle_multibyte(out); !settled) return settled;
      continue;
    }
    if (c == '\n' && state_ != State::less_than) ++line_;

    switch (state_) {
      case State::text:
        if (c == '<') {
          flush();
          state_ = State::less_than;
          ++at;
        } else if (depth_ == 0) {
          if (!is_blank(c)) {
            return not_xml(root_done_ || documents_ > 0 ? "there is text after the root element"
                                                        : "it does not begin with an element");
          }
          pass(at + 1);
        } else if (c == '&') {
          flush();
          after_reference_ = State::text;
          state_ = State::reference;
          ++at;
        } else if (is_control(c)) {
          flush();
          if (auto replaced = replace(out); !replaced) return replaced;
          ++at;
        } else if (static_cast<unsigned char>(c) < 0x20) {
          pass(at + 1);
        } else {
          pass(skip_plain<'<', '&'>(at, end));
        }
        break;

      case State::less_than:
        if (c == '!') {
          state_ = State::bang;
          token_.clear();
          ++at;
        } else if (c == '?') {
          state_ = State::pi_target;
          token_.clear();
          ++at;
        } else if (c == '/') {
          if (depth_ == 0) return not_xml("there is an end tag that nothing began");
          state_ = State::end_tag;
          tag_octets_ = 0;
          out += "</";
          ++at;
        } else if (is_name_start(c)) {
          if (auto opened = open_element(); !opened) return opened;
          state_ = State::start_tag;
          out += '<';
        } else {
          return not_xml("there is a '<' that begins nothing");
        }
        break;

      case State::bang: {
        token_ += c;
        ++at;
        constexpr std::string_view cdata = "[CDATA[";
        constexpr std::string_view doctype = "DOCTYPE";
        if (token_ == "--") {
          begin_blanked(State::comment, out);
        } else if (token_ == cdata) {
          if (depth_ == 0) return not_xml("there is text outside the root element");
          state_ = State::cdata;
          run_ = 0;
          out += "<![CDATA[";
        } else if (text::equals_ignore_case(token_, doctype)) {
          return fail(ErrorDomain::xml, "dtd-refused",
                      "there is a document type declaration, which SOAP does not allow");
        } else if (token_ != "-" && !cdata.starts_with(token_) &&
                   !text::equals_ignore_case(doctype.substr(0, token_.size()), token_)) {
          return not_xml("there is a declaration where none may be");
        }
        break;
      }

      case State::comment: {
        if (c == '>' && run_ >= 2) {
          end_blanked(out);
          ++at;
          break;
        }
        if (c == '-') {
          if (run_ < 2) ++run_;
        } else {
          run_ = 0;
          if (c == '\n' && blank_lines_ < most_blank_lines) {
            ++blank_lines_;
            out += '\n';
          }
        }
        at = c == '-' ? at + 1 : skip(comment_stops, at + 1, end);
        break;
      }

      case State::cdata:
        if (c == '>' && run_ >= 2) {
          pass(at + 1);
          state_ = State::text;
        } else if (c == ']') {
          if (run_ < 2) ++run_;
          pass(at + 1);
        } else {
          run_ = 0;
          if (is_control(c)) {
            flush();
            if (auto replaced = replace(out); !replaced) return replaced;
            ++at;
          } else {
            pass(skip_plain<']', ']'>(at + 1, end));
          }
        }
        break;

      case State::pi_target:
        if (is_blank(c) || c == '?') {
          if (token_.empty()) return not_xml("there is a processing instruction without a name");
          if (token_ == "xml" && (depth_ > 0 || root_seen_)) {
            return not_xml("there is an XML declaration inside the document");
          }
          begin_blanked(State::pi, out);
          run_ = 0;
          if (c == '\n') out += c;
          if (c == '?') run_ = 1;
        } else if (token_.size() < 4) {
          token_ += c;
        }
        ++at;
        break;

      case State::pi:
        if (c == '>' && run_ == 1) {
          end_blanked(out);
          ++at;
          break;
        }
        run_ = c == '?' ? 1 : 0;
        if (c == '\n' && blank_lines_ < most_blank_lines) {
          ++blank_lines_;
          out += '\n';
        }
        at = c == '?' ? at + 1 : skip(pi_stops, at + 1, end);
        break;

      case State::start_tag:
      case State::start_tag_slash: {
        if (count_tag(1)) return too_long_tag();
        if (state_ == State::start_tag_slash && c != '>') return not_xml("there is a '/' inside a tag");
        if (c == '>') {
          pass(at + 1);
          const bool is_empty = state_ == State::start_tag_slash;
          state_ = State::text;
          if (!is_empty) {
            ++depth_;
          } else if (depth_ == 0) {
            flush();
            close_root(out, document_ends);
          }
        } else if (c == '/') {
          pass(at + 1);
          state_ = State::start_tag_slash;
        } else if (c == '"' || c == '\'') {
          pass(at + 1);
          quote_ = c;
          state_ = State::value;
        } else if (c == '=') {
          if (++attributes_ > limits_.attributes) {
            return too_large("an element has more than " + std::to_string(limits_.attributes) +
                             " attributes");
          }
          pass(at + 1);
        } else if (c == '<' || is_control(c)) {
          return not_xml("there is a tag that does not end");
        } else {
          const char* const to = skip(tag_stops, at + 1, end);
          if (count_tag(static_cast<std::size_t>(to - at - 1))) return too_long_tag();
          pass(to);
        }
        break;
      }

      case State::value:
        if (count_tag(1)) return too_long_tag();
        if (c == quote_) {
          pass(at + 1);
          state_ = State::start_tag;
        } else if (c == '&') {
          flush();
          after_reference_ = State::value;
          state_ = State::reference;
          ++at;
        } else if (c == '<') {
          return not_xml("there is a '<' inside an attribute's value");
        } else if (is_control(c)) {
          flush();
          if (auto replaced = replace(out); !replaced) return replaced;
          ++at;
        } else {
          const char* const to = skip(value_stops, at + 1, end);
          if (count_tag(static_cast<std::size_t>(to - at - 1))) return too_long_tag();
          pass(to);
        }
        break;

      case State::end_tag:
        if (count_tag(1)) return too_long_tag();
        if (c == '>') {
          pass(at + 1);
          state_ = State::text;
          if (--depth_ == 0) {
            flush();
            close_root(out, document_ends);
          }
        } else if (c == '<' || is_control(c)) {
          return not_xml("there is a tag that does not end");
        } else {
          const char* const to = skip(end_tag_stops, at + 1, end);
          if (count_tag(static_cast<std::size_t>(to - at - 1))) return too_long_tag();
          pass(to);
        }
        break;

      case State::reference:
        number_ = 0;
        has_digits_ = false;
        token_.clear();
        if (c == '#') {
          state_ = State::reference_number;
          ++at;
        } else {
          state_ = State::reference_name;
          if (c == '\n') --line_;
        }
        break;

      case State::reference_number:
        if (c == 'x') {
          state_ = State::reference_hex;
          ++at;
        } else {
          state_ = State::reference_decimal;
          if (c == '\n') --line_;
        }
        break;

      case State::reference_decimal:
      case State::reference_hex: {
        ++at;
        if (c == ';') {
          if (auto ended = end_reference(out); !ended) return ended;
          break;
        }
        const bool is_hex = state_ == State::reference_hex;
        unsigned digit = 16;
        if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
        if (is_hex && c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
        if (is_hex && c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A') + 10;
        if (digit == 16) return not_xml("there is a character reference that is not a number");
        has_digits_ = true;
        // Every number from here on is as illegal as the next.
        number_ = std::min<std::uint32_t>(number_ * (is_hex ? 16 : 10) + digit, 0x110000);
        break;
      }

      case State::reference_name:
        ++at;
        if (c == ';') {
          if (token_ != "amp" && token_ != "lt" && token_ != "gt" && token_ != "quot" && token_ != "apos") {
            return not_xml("there is an entity that XML does not know: &" + text::escape_for_display(token_) +
                           ";");
          }
          out += '&' + token_ + ';';
          state_ = after_reference_;
        } else if (token_.size() == longest_entity_name) {
          return not_xml("there is a '&' that begins no entity XML knows: &" +
                         text::escape_for_display(token_) + "\xE2\x80\xA6");
        } else {
          token_ += c;
        }
        break;
    }
  }
  if (document_ends != nullptr) {
    octets_ = root_seen_ ? octets_ + static_cast<std::size_t>(end - document_from) : 0;
    if (octets_ > limits_.octets) return too_long_document();
  }
  return {};
}

}  // namespace syncline::ews::xml
