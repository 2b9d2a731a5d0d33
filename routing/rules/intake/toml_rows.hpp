// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <istream>
#include <memory>

#include "routing/rules/intake/row_reader.hpp"

namespace syncline::rules {

/// `[[assignment]]` tables. TOML cannot be read as a stream: the file may have at most 64 MB.
std::unique_ptr<RowReader> read_toml_rows(std::istream& input);

}  // namespace syncline::rules
