// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Filling mailboxes: from files in the formats of the Internet (own small readers, tolerant), and from a
// seed.
#include <filesystem>

#include "base/error.hpp"
#include "tools/exchange-sim/exchange/context.hpp"
#include "tools/exchange-sim/exchange/exchange_service.hpp"

namespace exchange_sim {

/// Error, domain input: "no-folder". What is wrong with single files is in the report.
syncline::Result<FillReport> fill_from_files(Context& context, const std::filesystem::path& folder);
FillReport generate_items(Context& context, Folder& messages, const GeneratorOptions& options);

}  // namespace exchange_sim
