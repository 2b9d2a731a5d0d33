// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <istream>
#include <memory>

#include "routing/rules/intake/row_reader.hpp"

namespace syncline::rules {

/// `[[assignment]]` tables. TOML cannot be read as a stream: the file may have at most kMaxTomlOctets.
inline constexpr std::size_t kMaxTomlOctets = std::size_t{64} << 20U;
std::unique_ptr<RowReader> read_toml_rows(std::istream& input);

}  // namespace syncline::rules
