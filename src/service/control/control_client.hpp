// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A command's end of the control socket.
#include <memory>

#include "service/control/control_channel.hpp"

namespace syncline::service {

/// Null: no daemon listens there. Errors local "io"; "not-permitted" (local) when it is somebody else's.
/// `environment` must outlive the channel.
Async<std::unique_ptr<ControlChannel>> connect_to_daemon(net::Environment& environment, std::string folder);

/// One request and one line back, on this thread; nullopt: no daemon answers. For commands that can do
/// without.
std::optional<boost::json::object> ask_daemon(const std::string& folder, boost::json::object request);

}  // namespace syncline::service
