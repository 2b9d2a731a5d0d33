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

/// Blanks have no place in an address; a peer's are dropped so that what is compared and shown is one word.
std::string tidy_address(std::string address) {
  remove_marks(address);
  address = printable(address);
  address.erase(std::remove(address.begin(), address.end(), ' '), address.end());
  return address;
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
    out.mailboxes.push_back({.name = printable(decoded.text)});
  }
  return out;
}

}  // namespace syncline::mime
