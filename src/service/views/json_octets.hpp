// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <boost/json/object.hpp>
#include <cstddef>

namespace syncline::service {

/// How long it is as text, without making the text.
std::size_t octets_of(const boost::json::object& object);

}  // namespace syncline::service
