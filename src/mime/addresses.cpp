// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/addresses.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "mime/encoded_word.hpp"

namespace syncline::mime {
namespace {

/// Each colon outside a domain may open a group in a group, and GMime calls itself for each. Mail knows one
/// level.
constexpr std::size_t colons_limit = 256;

/// The grammar is C's: a NUL would end the text.
void tame(std::string& text, Defects& defects) {
  std::size_t colons = 0;
  for (char& c : text) {
    if (c == '\0') c = ' ';
    if (c != ':') continue;
    if (++colons > colons_limit) {
      c = ' ';
      defects.add(Defect::bad_address);
    }
  }
}

/// Blanks have no place in an address but in a quoted local part; a peer's are dropped so that what is
/// compared and shown is one word.
std::string tidy_address(std::string address) {
  remove_marks(address);
  std::string tidy;
  bool is_quoted = false;
  bool is_escaped = false;
  for (const char c : printable(address)) {
    if (c == '"' && !is_escaped) is_quoted = !is_quoted;
    is_escaped = c == '\\' && !is_escaped;
    if (c != ' ' || is_quoted) tidy.push_back(c);
  }
  return tidy;
}

bool is_word(std::string_view text) {
  return text.find_first_of(" <>(),;:\"") == std::string_view::npos;
}

/// The one address of a field that GMime finds none in: local parts like ".a..b." are no dot-atoms, but there
/// are such mailboxes.
Mailbox odd_mailbox(std::string_view text) {
  Mailbox mailbox;
  const std::size_t open = text.rfind('<');
  std::string_view address = text;
  if (open != std::string_view::npos && text.ends_with('>')) {
    address = text.substr(open + 1, text.size() - open - 2);
    mailbox.name = text::trim(text.substr(0, open));
    if (mailbox.name.size() >= 2 && mailbox.name.front() == '"' && mailbox.name.back() == '"')
      mailbox.name = mailbox.name.substr(1, mailbox.name.size() - 2);
  }
  const std::size_t at = address.find('@');
  const bool is_address = at != std::string_view::npos && at > 0 && at + 1 < address.size() &&
                          address.find('@', at + 1) == std::string_view::npos && is_word(address);
  if (!is_address) return {.name = std::string(text)};
  mailbox.address = std::string(address);
  return mailbox;
}

}  // namespace

AddressList parse_addresses(std::string_view field, std::string_view hint, const Limits& limits) {
  AddressList out;
  HeaderText decoded = decode_structured(field, hint);
  out.defects = decoded.defects;
  if (decoded.text.empty()) return out;
  tame(decoded.text, out.defects);
  GrammarAddresses grammar = grammar_addresses(decoded.text, limits.addresses);
  if (!grammar.is_clean) out.defects.add(Defect::bad_address);
  for (Mailbox& one : grammar.mailboxes) {
    remove_marks(one.name);
    one.name = printable(text::to_xml_text(one.name));
    one.address = tidy_address(text::to_xml_text(one.address));
    if (one.name.empty() && one.address.empty()) continue;
    out.mailboxes.push_back(std::move(one));
  }
  if (out.mailboxes.empty() && !grammar.has_group) {
    out.defects.add(Defect::bad_address);
    remove_marks(decoded.text);
    out.mailboxes.push_back(odd_mailbox(printable(decoded.text)));
  }
  return out;
}

}  // namespace syncline::mime
