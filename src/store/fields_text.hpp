// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Fields as the JSON text that the database holds.
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/record.hpp"

namespace syncline::store {

/// What one record or base may weigh. Far above what field_catalogue.hpp allows a text; bodies beyond it are
/// content.
constexpr std::size_t fields_limit_octets = std::size_t{64} << 20;
constexpr int fields_limit_depth = 32;

/// Replaces what is in `out`, whose memory is used again. Errors: "too-deep", "too-large".
Result<void> fields_to_text(const model::Fields& fields, std::string& out);
/// Error "store-damaged".
Result<model::Fields> fields_from_text(std::string_view text);

}  // namespace syncline::store
