// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The one door to GMime 3: the grammar of address lists and international domains. GMime's objects are not
// safe to share between threads; none leaves the functions, and what it sets up for all is set up once.
//
// GMime goes into groups by recursion, looks for encoded words again and again, and keeps every charset's
// name it ever saw; so the texts given here have few groups and no encoded words left (addresses.cpp sees to
// it).
#include <string>
#include <string_view>
#include <vector>

namespace syncline::mime {

/// A person as a message names one; either may be empty. UTF-8.
struct Mailbox {
  std::string name = {};
  std::string address = {};
  friend bool operator==(const Mailbox&, const Mailbox&) = default;
};

struct GrammarAddresses {
  std::vector<Mailbox> mailboxes = {};  ///< groups are opened: their members stand one after the other
  bool has_group = false;
  bool is_clean = true;  ///< all of the text was addresses
};
/// `text`: valid UTF-8 without NUL, "=?" and more than some hundred ":". At most `limit` mailboxes.
GrammarAddresses grammar_addresses(const std::string& text, std::size_t limit);

/// The address with its domain in ASCII (IDNA 2008); as it is where that cannot be.
std::string with_ascii_domain(const std::string& address);

}  // namespace syncline::mime
