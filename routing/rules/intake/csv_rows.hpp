// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <istream>
#include <memory>

#include "routing/rules/intake/row_reader.hpp"

namespace syncline::rules {

/// A header of field names, then one assignment a record.
std::unique_ptr<RowReader> read_csv_rows(std::istream& input);

}  // namespace syncline::rules
