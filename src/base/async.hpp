// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Coroutines of this project: Asio awaitables that end with a Result. Exceptions do not cross them.
#include <boost/asio/awaitable.hpp>

#include "base/error.hpp"

namespace syncline {

template <class T>
using Async = boost::asio::awaitable<Result<T>>;

}  // namespace syncline
