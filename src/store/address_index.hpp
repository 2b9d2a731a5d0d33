// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which addresses stand in a record, so that a sender's address finds its contact.
#include <string>
#include <string_view>
#include <vector>

#include "model/record.hpp"

namespace syncline::store {

/// Trimmed, in lower case (ASCII: the domain's rule, and every server's for the local part); empty: no
/// address.
std::string address_key(std::string_view address);

/// Of e-mail addresses (contacts) and of people (from, recipients, attendees, organizer); sorted, each once.
std::vector<std::string> addresses_of(const model::Fields& fields);

}  // namespace syncline::store
