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

/// Of a contact's e-mail addresses and of an appointment's people; sorted, each once. Of e-mails none: to
/// stand in somebody's mail makes nobody known.
std::vector<std::string> addresses_of(model::RecordKind kind, const model::Fields& fields);

}  // namespace syncline::store
