// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What runs say of themselves, as lines on the control socket and back. Between a daemon and a command of the
// same version: what a line lacks is zero or empty.
#include <boost/json/object.hpp>

#include "base/error.hpp"
#include "service/engine/mailbox_runner.hpp"
#include "service/organisation/mailbox_gate.hpp"
#include "sync/summary.hpp"

namespace syncline::service {

boost::json::object to_line(const Error& error);
Error error_of(const boost::json::object& line);
boost::json::object to_line(const MailboxOutcome& outcome);
MailboxOutcome outcome_of(const boost::json::object& line);
boost::json::object to_line(const sync::RunProgress& progress);
sync::RunProgress progress_of(const boost::json::object& line);
boost::json::object to_line(const Obstacle& obstacle);
Obstacle obstacle_of(const boost::json::object& line);

}  // namespace syncline::service
