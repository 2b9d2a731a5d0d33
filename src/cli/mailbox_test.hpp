// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What `mailbox test` and `mailbox show` print of a test.
#include <boost/json/object.hpp>
#include <string>

#include "cli/command.hpp"

namespace syncline::cli {

/// Below `mailbox`.
void add_mailbox_test(CLI::App& mailbox, Action& action);

/// Steps and failures of a test as service/views/mailbox_test_json.hpp gives it, indented by two.
void append_test_text(std::string& out, const boost::json::object& test);

}  // namespace syncline::cli
