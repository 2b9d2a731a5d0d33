// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The writing half of the driver. Every write is resumable by evidence (invariant 6): what cannot be repeated
// is journalled before it is sent, and a begun step is settled by what the server holds, never by a bare
// retry. docs/protocol-notes/ews-driver-writes.md says what the evidence of each step is.
#include "ews/driver/driver_state.hpp"
#include "model/record.hpp"
#include "sync/driver.hpp"

namespace syncline::ews {

/// Carries an order out, from where `progress` says an earlier attempt has come. Errors beside those of
/// sync::Driver: "not-organizer" (never) where others' meetings would have to be mailed; the server's own
/// codes with their class (ErrorQuotaExceeded, ErrorSubmissionQuotaExceeded, ErrorMessageSizeExceeded,
/// ErrorSendAsDenied, …); input "bad-value" for a field that the protocol cannot say.
Async<sync::Applied> apply_order(EwsClient& client, DriverState& state, const sync::WriteOrder& order,
                                 sync::Progress& progress, const sync::OpenContent& content);

/// Takes all our marks off an item (invariant 7). May be called again after any error. "gone", "conflict" as
/// sync::Driver says.
Async<sync::RemoteRef> unmark_item(EwsClient& client, DriverState& state, sync::RemoteRef item,
                                   model::RecordKind kind);

}  // namespace syncline::ews
