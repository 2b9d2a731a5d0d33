// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Assignments proposed for the mailboxes of an Exchange organisation, from what its shell exports.
#include <memory>
#include <string>

#include "routing/rules/intake/row_reader.hpp"

namespace syncline::rules {

struct ExchangeExport {
  std::string mailboxes;  ///< Get-Mailbox or Get-RemoteMailbox | Export-Csv
  std::string servers;    ///< Get-ExchangeServer | Export-Csv; empty: versions stay unknown
  std::string profiles;   ///< TOML with [[profile]]
  std::string map;        ///< CSV: mailbox, profile; empty: by the profiles' recipient_types
};

/// Reads the small files at once and the mailboxes as rows are asked for. The error is a sentence with file,
/// line and column.
expected<std::unique_ptr<RowReader>, std::string> read_exchange_rows(const ExchangeExport& files);

}  // namespace syncline::rules
