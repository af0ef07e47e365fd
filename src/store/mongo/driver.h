// libmongoc, loaded when a server is first spoken to and not with the program: the library starts itself when
// it is loaded (it reads certificates, makes counters in shared memory, and writes to standard error where it
// cannot), which no command on an embedded store should pay for or show.
//
// Each name in the list is a pointer in this namespace and hides the library's function of the same name, so
// the code around reads as if it were linked. A function that is used and missing here is an error of the
// linker. libbson has no such start and is linked.
#pragma once

#include <mongoc/mongoc.h>

#include "base/error.h"
#include "base/shared_library.h"

namespace maeil::store::mongo {

// clang-format off
#define MAEIL_MONGOC_FUNCTIONS(X) \
  X(mongoc_bulk_operation_destroy) \
  X(mongoc_bulk_operation_execute) \
  X(mongoc_bulk_operation_insert_with_opts) \
  X(mongoc_bulk_operation_remove_one_with_opts) \
  X(mongoc_bulk_operation_replace_one_with_opts) \
  X(mongoc_client_command_with_opts) \
  X(mongoc_client_destroy) \
  X(mongoc_client_get_collection) \
  X(mongoc_client_get_database) \
  X(mongoc_client_new) \
  X(mongoc_client_pool_destroy) \
  X(mongoc_client_pool_max_size) \
  X(mongoc_client_pool_new_with_error) \
  X(mongoc_client_pool_pop) \
  X(mongoc_client_pool_push) \
  X(mongoc_client_pool_set_appname) \
  X(mongoc_client_pool_set_error_api) \
  X(mongoc_client_session_abort_transaction) \
  X(mongoc_client_session_append) \
  X(mongoc_client_session_commit_transaction) \
  X(mongoc_client_session_destroy) \
  X(mongoc_client_session_in_transaction) \
  X(mongoc_client_session_start_transaction) \
  X(mongoc_client_set_write_concern) \
  X(mongoc_client_start_session) \
  X(mongoc_collection_count_documents) \
  X(mongoc_collection_create_bulk_operation_with_opts) \
  X(mongoc_collection_delete_many) \
  X(mongoc_collection_destroy) \
  X(mongoc_collection_drop) \
  X(mongoc_collection_find_with_opts) \
  X(mongoc_collection_insert_many) \
  X(mongoc_cursor_destroy) \
  X(mongoc_cursor_error_document) \
  X(mongoc_cursor_next) \
  X(mongoc_database_destroy) \
  X(mongoc_database_drop) \
  X(mongoc_database_get_collection_names_with_opts) \
  X(mongoc_error_has_label) \
  X(mongoc_gridfs_bucket_destroy) \
  X(mongoc_gridfs_bucket_new) \
  X(mongoc_gridfs_bucket_open_download_stream) \
  X(mongoc_gridfs_bucket_open_upload_stream) \
  X(mongoc_log_set_handler) \
  X(mongoc_read_concern_destroy) \
  X(mongoc_read_concern_new) \
  X(mongoc_read_concern_set_level) \
  X(mongoc_read_prefs_destroy) \
  X(mongoc_read_prefs_new) \
  X(mongoc_stream_destroy) \
  X(mongoc_stream_read) \
  X(mongoc_stream_write) \
  X(mongoc_transaction_opts_destroy) \
  X(mongoc_transaction_opts_new) \
  X(mongoc_transaction_opts_set_read_concern) \
  X(mongoc_transaction_opts_set_write_concern) \
  X(mongoc_uri_destroy) \
  X(mongoc_uri_get_auth_mechanism) \
  X(mongoc_uri_get_credentials) \
  X(mongoc_uri_get_database) \
  X(mongoc_uri_get_hosts) \
  X(mongoc_uri_get_option_as_int32) \
  X(mongoc_uri_get_password) \
  X(mongoc_uri_get_srv_hostname) \
  X(mongoc_uri_get_username) \
  X(mongoc_uri_has_option) \
  X(mongoc_uri_new_with_error) \
  X(mongoc_uri_set_auth_source) \
  X(mongoc_uri_set_option_as_bool) \
  X(mongoc_uri_set_option_as_int32) \
  X(mongoc_uri_set_read_concern) \
  X(mongoc_uri_set_read_prefs_t) \
  X(mongoc_uri_set_write_concern) \
  X(mongoc_write_concern_destroy) \
  X(mongoc_write_concern_new) \
  X(mongoc_write_concern_set_journal) \
  X(mongoc_write_concern_set_wmajority)
// clang-format on

MAEIL_MONGOC_FUNCTIONS(MAEIL_LIBRARY_DECLARATION)

// Loads the library and every function above, once; before the first use of any. The driver's own log goes
// nowhere: what goes wrong is in our errors. kNotFound, naming the package, when it is not installed. Thread
// safe.
Status load_driver();

}  // namespace maeil::store::mongo
