// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What one person may see of records that several people's mailboxes share (invariant 14).
#include <optional>
#include <string_view>

#include "service/organisation/record_lines.hpp"
#include "store/readers.hpp"

namespace syncline::service {

/// The person with this address and the mailboxes that are that person's now. Error (domain local)
/// "store-damaged" for a mailbox's settings that cannot be read.
Result<store::Reader> reader_of(store::Transaction& transaction, std::string_view owner);

/// Nullopt: nothing. Of somebody else's record, which the reader has a copy of, without the owner and without
/// what other copies alone hold: the octets as they came there, blind recipients.
Result<std::optional<model::Record>> as_seen_by(store::Transaction& transaction, const store::Reader& reader,
                                                model::Record record);

/// As record_to_json does, of a record as the reader sees it, with the links to the reader's mailboxes alone.
Result<boost::json::object> record_to_json(store::Transaction& transaction, const model::Record& record,
                                           const store::Reader& reader);

}  // namespace syncline::service
