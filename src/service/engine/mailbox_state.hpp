// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What is remembered of a mailbox between runs: how the last one went (`status`), and where it was found.
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/mailbox_facts.hpp"
#include "store/links.hpp"
#include "sync/summary.hpp"

namespace syncline::service {

class Organisation;

/// {"startedAt","endedAt","outcome":"done"|"failed","error":{…}|null,"errorsInARow",…} in the mailbox's
/// state.
Result<void> remember_run(Organisation& organisation, store::MailboxId mailbox, SystemTime started_at,
                          const Result<sync::MailboxSummary>& outcome);

struct KnownEndpoint {
  std::string url = {};
  std::string grouping_information = {};  ///< as in MailboxFacts
};
/// The endpoint that Autodiscover found within the last twelve hours.
Result<std::optional<KnownEndpoint>> known_endpoint(Organisation& organisation, std::string_view address);
Result<void> remember_endpoint(Organisation& organisation, const model::MailboxFacts& facts);
/// Whether `smtp_host` saves what this mailbox sends by itself, as learned within the last thirty days
///
Result<std::optional<bool>> known_sent_copies(Organisation& organisation, std::string_view address,
                                              std::string_view smtp_host);
Result<void> remember_sent_copies(Organisation& organisation, std::string_view address,
                                  std::string_view smtp_host, bool server_saves);
/// After an error that says that the mailbox may live elsewhere.
Result<void> forget_endpoint(Organisation& organisation, std::string_view address);

}  // namespace syncline::service
