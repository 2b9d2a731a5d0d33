// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mime/defects.hpp"
#include "mime/gmime_grammar.hpp"
#include "mime/limits.hpp"

namespace syncline::mime {

struct AddressList {
  std::vector<Mailbox> mailboxes = {};
  Defects defects = {};  ///< bad_address and those of the texts
};

/// A list of addresses (RFC 5322 section 3.4, RFC 6532), groups opened, names decoded. What has no address at
/// all is one mailbox with a name alone. `field`: unfolded octets.
AddressList parse_addresses(std::string_view field, std::string_view hint = {}, const Limits& limits = {});

}  // namespace syncline::mime
