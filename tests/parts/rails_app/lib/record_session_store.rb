# frozen_string_literal: true

# Sessions in the table and the form of activerecord-session_store 2, which Debian does not have:
# session_id "2::" + SHA-256 of the cookie, data Base64 of Marshal. Rows never expire by themselves.
class RecordSessionStore < ActionDispatch::Session::AbstractSecureStore
  autoload :Row, "record_session_row"

  def find_session(_request, session_id)
    row = session_id && Row.find_by(session_id: session_id.private_id)
    row ? [session_id, row.contents] : [generate_sid, {}]
  end

  def write_session(_request, session_id, contents, _options)
    row = Row.find_or_initialize_by(session_id: session_id.private_id)
    row.contents = contents
    row.save!
    session_id
  end

  def delete_session(_request, session_id, options)
    Row.where(session_id: session_id.private_id).delete_all
    generate_sid unless options[:drop]
  end
end
