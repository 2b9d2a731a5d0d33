// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <istream>
#include <memory>

#include "routing/rules/intake/row_reader.hpp"

namespace syncline::rules {

/// One array of objects, or objects one after the other; read as a stream, memory for one object.
std::unique_ptr<RowReader> read_json_rows(std::istream& input);
/// One object a line; a line that is wrong costs only itself.
std::unique_ptr<RowReader> read_json_lines(std::istream& input);

}  // namespace syncline::rules
