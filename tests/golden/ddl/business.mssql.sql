CREATE TABLE account_ref (
	account_id VARCHAR(32) NOT NULL,
	account_no VARCHAR(20) NOT NULL,
	customer_id VARCHAR(32) NOT NULL,
	standing VARCHAR(12) NOT NULL,
	owed_since_on DATE NULL,
	closed SMALLINT NOT NULL,
	source_seq BIGINT NOT NULL,
	CONSTRAINT pk_account_ref PRIMARY KEY (account_id)
);
CREATE INDEX ix_account_ref_customer_id ON account_ref (customer_id);
CREATE TABLE act (
	act_id VARCHAR(32) NOT NULL,
	kind VARCHAR(60) NOT NULL,
	digest VARCHAR(64) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	hall_code VARCHAR(20) NULL,
	counter_no VARCHAR(20) NULL,
	channel VARCHAR(20) NULL,
	reason NVARCHAR(200) NULL,
	occurred_at DATETIME2(6) NOT NULL,
	reply NVARCHAR(max) NULL,
	after_tokens VARCHAR(500) NULL,
	CONSTRAINT pk_act PRIMARY KEY (act_id)
);
CREATE TABLE audit_entry (
	entry_id BIGINT NOT NULL IDENTITY(1,1),
	act_id VARCHAR(32) NULL,
	occurred_at DATETIME2(6) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	what VARCHAR(60) NOT NULL,
	subject VARCHAR(80) NULL,
	remark NVARCHAR(500) NULL,
	entry_digest VARCHAR(64) NOT NULL,
	sealed_in BIGINT NULL,
	CONSTRAINT pk_audit_entry PRIMARY KEY (entry_id)
);
CREATE INDEX ix_audit_entry_sealed_in ON audit_entry (sealed_in);
CREATE TABLE audit_seal (
	seal_no BIGINT NOT NULL,
	entry_count BIGINT NOT NULL,
	previous_digest VARCHAR(64) NOT NULL,
	seal_digest VARCHAR(64) NOT NULL,
	sealed_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_audit_seal PRIMARY KEY (seal_no)
);
CREATE TABLE customer (
	customer_id VARCHAR(32) NOT NULL,
	customer_no VARCHAR(20) NOT NULL,
	customer_name NVARCHAR(120) NOT NULL,
	customer_kind VARCHAR(12) NOT NULL,
	customer_class VARCHAR(12) NOT NULL,
	state VARCHAR(12) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	address NVARCHAR(200) NULL,
	tax_no VARCHAR(40) NULL,
	group_customer_id VARCHAR(32) NULL,
	remark NVARCHAR(500) NULL,
	created_at DATETIME2(6) NOT NULL,
	changed_at DATETIME2(6) NOT NULL,
	version_no INTEGER NOT NULL,
	CONSTRAINT pk_customer PRIMARY KEY (customer_id),
	CONSTRAINT uq_customer_customer_no UNIQUE (customer_no),
	CONSTRAINT fk_customer_group_customer_id FOREIGN KEY(group_customer_id) REFERENCES customer (customer_id)
);
CREATE INDEX ix_customer_group_customer_id ON customer (group_customer_id);
CREATE TABLE customer_key (
	key_kind VARCHAR(1) NOT NULL,
	key_text VARCHAR(80) NOT NULL,
	customer_id VARCHAR(32) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	CONSTRAINT pk_customer_key PRIMARY KEY (key_kind, key_text, customer_id, hall_code, district_code)
);
CREATE INDEX ix_customer_key_customer_id ON customer_key (customer_id);
CREATE TABLE data_key (
	key_no INTEGER NOT NULL,
	wrapped_key VARCHAR(200) NOT NULL,
	made_at DATETIME2(6) NOT NULL,
	retired_at DATETIME2(6) NULL,
	CONSTRAINT pk_data_key PRIMARY KEY (key_no)
);
CREATE TABLE fact_aggregate (
	aggregate VARCHAR(80) NOT NULL,
	epoch INTEGER NOT NULL,
	last_seq BIGINT NOT NULL,
	epoch_first_seq BIGINT NOT NULL,
	CONSTRAINT pk_fact_aggregate PRIMARY KEY (aggregate)
);
CREATE TABLE fact_cursor (
	aggregate VARCHAR(80) NOT NULL,
	epoch INTEGER NOT NULL,
	seq BIGINT NOT NULL,
	CONSTRAINT pk_fact_cursor PRIMARY KEY (aggregate)
);
CREATE TABLE fact_difference (
	fact_id VARCHAR(32) NOT NULL,
	aggregate VARCHAR(80) NOT NULL,
	epoch INTEGER NOT NULL,
	seq BIGINT NOT NULL,
	kind VARCHAR(60) NOT NULL,
	found_at DATETIME2(6) NOT NULL,
	settled_at DATETIME2(6) NULL,
	remark NVARCHAR(200) NULL,
	CONSTRAINT pk_fact_difference PRIMARY KEY (fact_id)
);
CREATE TABLE fact_in (
	aggregate VARCHAR(80) NOT NULL,
	epoch INTEGER NOT NULL,
	seq BIGINT NOT NULL,
	fact_id VARCHAR(32) NOT NULL,
	kind VARCHAR(60) NOT NULL,
	applied_at DATETIME2(6) NOT NULL,
	skipped_reason NVARCHAR(200) NULL,
	CONSTRAINT pk_fact_in PRIMARY KEY (aggregate, epoch, seq)
);
CREATE TABLE fact_out (
	fact_id VARCHAR(32) NOT NULL,
	aggregate VARCHAR(80) NOT NULL,
	seq BIGINT NOT NULL,
	epoch INTEGER NOT NULL,
	epoch_first_seq BIGINT NOT NULL,
	lane_no INTEGER NOT NULL,
	kind VARCHAR(60) NOT NULL,
	version INTEGER NOT NULL,
	effective_at DATETIME2(6) NOT NULL,
	recorded_at DATETIME2(6) NOT NULL,
	act_id VARCHAR(32) NOT NULL,
	payload NVARCHAR(max) NOT NULL,
	CONSTRAINT pk_fact_out PRIMARY KEY (fact_id)
);
CREATE UNIQUE INDEX uq_fact_out_agg_seq ON fact_out (aggregate, seq, epoch);
CREATE TABLE fact_parked (
	aggregate VARCHAR(80) NOT NULL,
	epoch INTEGER NOT NULL,
	seq BIGINT NOT NULL,
	fact_id VARCHAR(32) NOT NULL,
	kind VARCHAR(60) NOT NULL,
	error NVARCHAR(500) NULL,
	attempts INTEGER NOT NULL,
	parked_at DATETIME2(6) NOT NULL,
	CONSTRAINT pk_fact_parked PRIMARY KEY (aggregate)
);
CREATE TABLE fact_pending (
	lane_no INTEGER NOT NULL,
	aggregate VARCHAR(80) NOT NULL,
	seq BIGINT NOT NULL,
	epoch INTEGER NOT NULL,
	fact_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_fact_pending PRIMARY KEY (lane_no, aggregate, epoch, seq)
);
CREATE TABLE hall (
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	hall_name NVARCHAR(60) NOT NULL,
	district_name NVARCHAR(60) NULL,
	address NVARCHAR(200) NULL,
	state VARCHAR(12) NOT NULL,
	CONSTRAINT pk_hall PRIMARY KEY (hall_code)
);
CREATE INDEX ix_hall_district_code ON hall (district_code);
CREATE TABLE job (
	job_id VARCHAR(32) NOT NULL,
	kind VARCHAR(60) NOT NULL,
	state VARCHAR(20) NOT NULL,
	asked_at DATETIME2(6) NOT NULL,
	due_at DATETIME2(6) NOT NULL,
	begun_at DATETIME2(6) NULL,
	ended_at DATETIME2(6) NULL,
	worker VARCHAR(80) NULL,
	lease_until DATETIME2(6) NULL,
	attempts INTEGER NOT NULL,
	done_count BIGINT NOT NULL,
	total_count BIGINT NOT NULL,
	cancel_wanted SMALLINT NOT NULL,
	arguments NVARCHAR(max) NULL,
	state_kept NVARCHAR(max) NULL,
	outcome NVARCHAR(max) NULL,
	CONSTRAINT pk_job PRIMARY KEY (job_id)
);
CREATE INDEX ix_job_state_due_at ON job (state, due_at);
CREATE TABLE lane (
	lane_no INTEGER NOT NULL,
	worker VARCHAR(80) NULL,
	lease_until DATETIME2(6) NULL,
	CONSTRAINT pk_lane PRIMARY KEY (lane_no)
);
CREATE TABLE material_move (
	move_id VARCHAR(32) NOT NULL,
	place_code VARCHAR(40) NOT NULL,
	material_code VARCHAR(40) NOT NULL,
	delta BIGINT NOT NULL,
	at DATETIME2(6) NOT NULL,
	cause VARCHAR(12) NOT NULL,
	cause_id VARCHAR(64) NULL,
	staff_no VARCHAR(20) NOT NULL,
	CONSTRAINT pk_material_move PRIMARY KEY (move_id)
);
CREATE INDEX ix_material_move_place ON material_move (place_code, material_code, at);
CREATE TABLE migration_error (
	run_id VARCHAR(32) NOT NULL,
	error_no INTEGER NOT NULL,
	file_name NVARCHAR(120) NOT NULL,
	row_no INTEGER NOT NULL,
	field NVARCHAR(60) NULL,
	error_code VARCHAR(60) NOT NULL,
	params NVARCHAR(max) NULL,
	CONSTRAINT pk_migration_error PRIMARY KEY (run_id, error_no)
);
CREATE TABLE migration_link (
	system_code VARCHAR(20) NOT NULL,
	record_kind VARCHAR(12) NOT NULL,
	old_key NVARCHAR(80) NOT NULL,
	new_id VARCHAR(32) NOT NULL,
	amount_fen BIGINT NULL,
	digest VARCHAR(64) NOT NULL,
	CONSTRAINT pk_migration_link PRIMARY KEY (system_code, record_kind, old_key)
);
CREATE INDEX ix_migration_link_new_id ON migration_link (new_id);
CREATE TABLE migration_run (
	run_id VARCHAR(32) NOT NULL,
	system_code VARCHAR(20) NOT NULL,
	started_at DATETIME2(6) NOT NULL,
	ended_at DATETIME2(6) NULL,
	row_count BIGINT NOT NULL,
	error_count BIGINT NOT NULL,
	totals NVARCHAR(max) NULL,
	CONSTRAINT pk_migration_run PRIMARY KEY (run_id)
);
CREATE TABLE network_place (
	place_code VARCHAR(40) NOT NULL,
	place_kind VARCHAR(12) NOT NULL,
	place_name NVARCHAR(80) NOT NULL,
	parent_code VARCHAR(40) NULL,
	address NVARCHAR(200) NULL,
	hall_code VARCHAR(20) NULL,
	state VARCHAR(12) NOT NULL,
	CONSTRAINT pk_network_place PRIMARY KEY (place_code),
	CONSTRAINT fk_network_place_parent_code FOREIGN KEY(parent_code) REFERENCES network_place (place_code)
);
CREATE INDEX ix_network_place_parent_code ON network_place (parent_code);
CREATE TABLE number_counter (
	counter_name VARCHAR(80) NOT NULL,
	next_value BIGINT NOT NULL,
	CONSTRAINT pk_number_counter PRIMARY KEY (counter_name)
);
CREATE TABLE number_resource (
	access_kind VARCHAR(12) NOT NULL,
	access_key VARCHAR(64) NOT NULL,
	state VARCHAR(12) NOT NULL,
	hall_code VARCHAR(20) NULL,
	product_id VARCHAR(32) NULL,
	cooling_until_on DATE NULL,
	changed_at DATETIME2(6) NOT NULL,
	place_code VARCHAR(40) NULL,
	pool_code VARCHAR(20) NULL,
	level_no INTEGER NULL,
	order_id VARCHAR(32) NULL,
	item_id VARCHAR(40) NULL,
	reserved_until_at DATETIME2(6) NULL,
	route_end VARCHAR(1) NULL,
	model_code VARCHAR(40) NULL,
	paired_key VARCHAR(64) NULL,
	CONSTRAINT pk_number_resource PRIMARY KEY (access_kind, access_key)
);
CREATE INDEX ix_number_resource_order_id ON number_resource (order_id);
CREATE INDEX ix_number_resource_place ON number_resource (place_code, access_kind, state, access_key);
CREATE INDEX ix_number_resource_product_id ON number_resource (product_id);
CREATE INDEX ix_number_resource_state ON number_resource (access_kind, state, access_key);
CREATE TABLE offering (
	offering_code VARCHAR(40) NOT NULL,
	name_zh NVARCHAR(80) NOT NULL,
	name_en NVARCHAR(80) NOT NULL,
	service VARCHAR(20) NOT NULL,
	offering_kind VARCHAR(12) NOT NULL,
	sold_from_on DATE NOT NULL,
	sold_until_on DATE NULL,
	remark NVARCHAR(200) NULL,
	CONSTRAINT pk_offering PRIMARY KEY (offering_code)
);
CREATE TABLE price_book (
	book_version INTEGER NOT NULL,
	effective_on DATE NOT NULL,
	row_count INTEGER NOT NULL,
	digest VARCHAR(64) NOT NULL,
	published_at DATETIME2(6) NOT NULL,
	remark NVARCHAR(200) NULL,
	CONSTRAINT pk_price_book PRIMARY KEY (book_version)
);
CREATE TABLE prov_difference (
	difference_id VARCHAR(32) NOT NULL,
	system_name VARCHAR(40) NOT NULL,
	subscriber_key VARCHAR(64) NOT NULL,
	difference_kind VARCHAR(12) NOT NULL,
	field_name VARCHAR(40) NULL,
	ours NVARCHAR(200) NULL,
	theirs NVARCHAR(200) NULL,
	found_at DATETIME2(6) NOT NULL,
	seen_at DATETIME2(6) NOT NULL,
	state VARCHAR(12) NOT NULL,
	settled_by VARCHAR(20) NULL,
	settle_reason NVARCHAR(200) NULL,
	settled_at DATETIME2(6) NULL,
	CONSTRAINT pk_prov_difference PRIMARY KEY (difference_id)
);
CREATE INDEX ix_prov_difference_state ON prov_difference (system_name, state, subscriber_key);
CREATE TABLE prov_subscriber (
	system_name VARCHAR(40) NOT NULL,
	subscriber_key VARCHAR(64) NOT NULL,
	last_no INTEGER NOT NULL,
	known SMALLINT NULL,
	state_kept NVARCHAR(max) NULL,
	CONSTRAINT pk_prov_subscriber PRIMARY KEY (system_name, subscriber_key)
);
CREATE TABLE prov_system (
	system_name VARCHAR(40) NOT NULL,
	stopped SMALLINT NOT NULL,
	stop_reason NVARCHAR(200) NULL,
	stopped_by VARCHAR(20) NULL,
	holder VARCHAR(120) NULL,
	turn_no INTEGER NOT NULL,
	lease_until_at DATETIME2(6) NULL,
	down_since_at DATETIME2(6) NULL,
	down_code VARCHAR(40) NULL,
	compared_at DATETIME2(6) NULL,
	CONSTRAINT pk_prov_system PRIMARY KEY (system_name)
);
CREATE TABLE prov_task (
	task_id VARCHAR(32) NOT NULL,
	system_name VARCHAR(40) NOT NULL,
	subscriber_key VARCHAR(64) NOT NULL,
	task_no INTEGER NOT NULL,
	act_name VARCHAR(40) NOT NULL,
	wanted NVARCHAR(max) NOT NULL,
	wanted_sealed NVARCHAR(max) NULL,
	lane VARCHAR(12) NOT NULL,
	rank_no INTEGER NOT NULL,
	order_id VARCHAR(32) NULL,
	item_id VARCHAR(40) NULL,
	state VARCHAR(12) NOT NULL,
	in_doubt SMALLINT NOT NULL,
	due_at DATETIME2(6) NOT NULL,
	try_count INTEGER NOT NULL,
	word_count INTEGER NOT NULL,
	result_code VARCHAR(40) NULL,
	result_text NVARCHAR(400) NULL,
	steps NVARCHAR(max) NULL,
	asked_at DATETIME2(6) NOT NULL,
	ended_at DATETIME2(6) NULL,
	settled_by VARCHAR(20) NULL,
	settle_reason NVARCHAR(200) NULL,
	CONSTRAINT pk_prov_task PRIMARY KEY (task_id),
	CONSTRAINT uq_prov_task_no UNIQUE (system_name, subscriber_key, task_no)
);
CREATE INDEX ix_prov_task_due ON prov_task (system_name, state, rank_no, due_at, task_id);
CREATE INDEX ix_prov_task_order_id ON prov_task (order_id);
CREATE INDEX ix_prov_task_state ON prov_task (state, asked_at, task_id);
CREATE TABLE resource_use (
	use_id VARCHAR(32) NOT NULL,
	access_kind VARCHAR(12) NOT NULL,
	access_key VARCHAR(64) NOT NULL,
	at DATETIME2(6) NOT NULL,
	event VARCHAR(20) NOT NULL,
	from_state VARCHAR(12) NULL,
	to_state VARCHAR(12) NOT NULL,
	order_id VARCHAR(32) NULL,
	item_id VARCHAR(40) NULL,
	product_id VARCHAR(32) NULL,
	place_code VARCHAR(40) NULL,
	staff_no VARCHAR(20) NOT NULL,
	remark NVARCHAR(200) NULL,
	CONSTRAINT pk_resource_use PRIMARY KEY (use_id)
);
CREATE INDEX ix_resource_use_key ON resource_use (access_kind, access_key, at);
CREATE INDEX ix_resource_use_product_id ON resource_use (product_id);
CREATE TABLE side (
	role VARCHAR(20) NOT NULL,
	epoch INTEGER NOT NULL,
	epoch_since DATETIME2(6) NOT NULL,
	CONSTRAINT pk_side PRIMARY KEY (role)
);
CREATE TABLE staff_role (
	role_code VARCHAR(40) NOT NULL,
	name_zh NVARCHAR(60) NOT NULL,
	name_en NVARCHAR(60) NOT NULL,
	CONSTRAINT pk_staff_role PRIMARY KEY (role_code)
);
CREATE TABLE trouble_ticket (
	ticket_id VARCHAR(32) NOT NULL,
	ticket_no VARCHAR(20) NOT NULL,
	ticket_kind VARCHAR(12) NOT NULL,
	category VARCHAR(40) NOT NULL,
	reach VARCHAR(12) NOT NULL,
	state VARCHAR(20) NOT NULL,
	parent_id VARCHAR(32) NULL,
	product_id VARCHAR(32) NULL,
	customer_id VARCHAR(32) NULL,
	place_code VARCHAR(40) NULL,
	shown_as NVARCHAR(60) NULL,
	address NVARCHAR(200) NULL,
	area_code VARCHAR(20) NOT NULL,
	contact_name NVARCHAR(60) NULL,
	contact_phone NVARCHAR(40) NULL,
	described NVARCHAR(500) NOT NULL,
	channel VARCHAR(12) NOT NULL,
	escalated INTEGER NOT NULL,
	escalate_at DATETIME2(6) NULL,
	due_at DATETIME2(6) NOT NULL,
	opened_at DATETIME2(6) NOT NULL,
	resolved_at DATETIME2(6) NULL,
	closed_at DATETIME2(6) NULL,
	cause_code VARCHAR(40) NULL,
	resolution NVARCHAR(500) NULL,
	follow_up VARCHAR(20) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	version_no INTEGER NOT NULL,
	CONSTRAINT pk_trouble_ticket PRIMARY KEY (ticket_id),
	CONSTRAINT uq_trouble_ticket_ticket_no UNIQUE (ticket_no),
	CONSTRAINT fk_trouble_ticket_parent_id FOREIGN KEY(parent_id) REFERENCES trouble_ticket (ticket_id)
);
CREATE INDEX ix_trouble_ticket_customer ON trouble_ticket (customer_id);
CREATE INDEX ix_trouble_ticket_parent_id ON trouble_ticket (parent_id);
CREATE INDEX ix_trouble_ticket_product ON trouble_ticket (product_id, state);
CREATE INDEX ix_trouble_ticket_reach ON trouble_ticket (reach, state);
CREATE INDEX ix_trouble_ticket_state ON trouble_ticket (state, due_at);
CREATE TABLE work_order (
	work_order_id VARCHAR(32) NOT NULL,
	work_order_no VARCHAR(20) NOT NULL,
	work_kind VARCHAR(12) NOT NULL,
	state VARCHAR(20) NOT NULL,
	order_id VARCHAR(32) NULL,
	item_id VARCHAR(40) NULL,
	ticket_id VARCHAR(32) NULL,
	product_id VARCHAR(32) NULL,
	customer_id VARCHAR(32) NULL,
	address NVARCHAR(200) NOT NULL,
	contact_name NVARCHAR(60) NULL,
	contact_phone NVARCHAR(40) NULL,
	area_code VARCHAR(20) NOT NULL,
	skill VARCHAR(20) NOT NULL,
	team_code VARCHAR(20) NULL,
	staff_no VARCHAR(20) NULL,
	window_on DATE NULL,
	window_slot VARCHAR(12) NULL,
	due_at DATETIME2(6) NOT NULL,
	opened_at DATETIME2(6) NOT NULL,
	begun_at DATETIME2(6) NULL,
	closed_at DATETIME2(6) NULL,
	reason_code VARCHAR(40) NULL,
	late_reason VARCHAR(40) NULL,
	remark NVARCHAR(500) NULL,
	result_remark NVARCHAR(500) NULL,
	follow_up VARCHAR(20) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	version_no INTEGER NOT NULL,
	CONSTRAINT pk_work_order PRIMARY KEY (work_order_id),
	CONSTRAINT uq_work_order_work_order_no UNIQUE (work_order_no)
);
CREATE INDEX ix_work_order_order_id ON work_order (order_id, item_id);
CREATE INDEX ix_work_order_product_id ON work_order (product_id);
CREATE INDEX ix_work_order_staff_no ON work_order (staff_no, state);
CREATE INDEX ix_work_order_state ON work_order (state, due_at);
CREATE INDEX ix_work_order_team ON work_order (team_code, state, window_on);
CREATE INDEX ix_work_order_ticket_id ON work_order (ticket_id);
CREATE TABLE work_team (
	team_code VARCHAR(20) NOT NULL,
	team_name NVARCHAR(60) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	state VARCHAR(12) NOT NULL,
	CONSTRAINT pk_work_team PRIMARY KEY (team_code)
);
CREATE TABLE bundle_member (
	bundle_code VARCHAR(40) NOT NULL,
	member_code VARCHAR(40) NOT NULL,
	mandatory SMALLINT NOT NULL,
	split_weight INTEGER NOT NULL,
	takes_rest SMALLINT NOT NULL,
	sort_no INTEGER NOT NULL,
	CONSTRAINT pk_bundle_member PRIMARY KEY (bundle_code, member_code),
	CONSTRAINT fk_bundle_member_bundle_code FOREIGN KEY(bundle_code) REFERENCES offering (offering_code),
	CONSTRAINT fk_bundle_member_member_code FOREIGN KEY(member_code) REFERENCES offering (offering_code)
);
CREATE INDEX ix_bundle_member_member_code ON bundle_member (member_code);
CREATE TABLE contact (
	customer_id VARCHAR(32) NOT NULL,
	contact_no INTEGER NOT NULL,
	contact_kind VARCHAR(12) NOT NULL,
	contact_name NVARCHAR(60) NULL,
	contact_value NVARCHAR(120) NOT NULL,
	is_main SMALLINT NOT NULL,
	CONSTRAINT pk_contact PRIMARY KEY (customer_id, contact_no),
	CONSTRAINT fk_contact_customer_id FOREIGN KEY(customer_id) REFERENCES customer (customer_id)
);
CREATE TABLE hall_counter (
	hall_code VARCHAR(20) NOT NULL,
	counter_no VARCHAR(20) NOT NULL,
	state VARCHAR(12) NOT NULL,
	CONSTRAINT pk_hall_counter PRIMARY KEY (hall_code, counter_no),
	CONSTRAINT fk_hall_counter_hall_code FOREIGN KEY(hall_code) REFERENCES hall (hall_code)
);
CREATE TABLE id_document (
	customer_id VARCHAR(32) NOT NULL,
	document_kind VARCHAR(20) NOT NULL,
	sealed_no VARCHAR(400) NOT NULL,
	blind_no VARCHAR(64) NOT NULL,
	masked_no NVARCHAR(60) NOT NULL,
	CONSTRAINT pk_id_document PRIMARY KEY (customer_id, document_kind),
	CONSTRAINT fk_id_document_customer_id FOREIGN KEY(customer_id) REFERENCES customer (customer_id)
);
CREATE INDEX ix_id_document_blind_no ON id_document (blind_no, customer_id);
CREATE TABLE material_stock (
	place_code VARCHAR(40) NOT NULL,
	material_code VARCHAR(40) NOT NULL,
	material_name NVARCHAR(80) NOT NULL,
	unit VARCHAR(12) NOT NULL,
	quantity BIGINT NOT NULL,
	CONSTRAINT pk_material_stock PRIMARY KEY (place_code, material_code),
	CONSTRAINT fk_material_stock_place_code FOREIGN KEY(place_code) REFERENCES network_place (place_code)
);
CREATE TABLE offer_price (
	price_code VARCHAR(40) NOT NULL,
	valid_from_on DATE NOT NULL,
	valid_until_on DATE NULL,
	offering_code VARCHAR(40) NOT NULL,
	name_zh NVARCHAR(80) NOT NULL,
	name_en NVARCHAR(80) NOT NULL,
	price_kind VARCHAR(12) NOT NULL,
	item_code VARCHAR(40) NOT NULL,
	charge BIGINT NOT NULL,
	per_months INTEGER NOT NULL,
	tariff_code VARCHAR(40) NULL,
	tax_per_mille INTEGER NOT NULL,
	in_advance SMALLINT NOT NULL,
	refund_unused_months SMALLINT NOT NULL,
	suspended_charge BIGINT NOT NULL,
	proration VARCHAR(20) NOT NULL,
	proration_detail NVARCHAR(max) NULL,
	kept_in_bundle SMALLINT NOT NULL,
	rank_no INTEGER NOT NULL,
	terms NVARCHAR(max) NULL,
	CONSTRAINT pk_offer_price PRIMARY KEY (price_code, valid_from_on),
	CONSTRAINT fk_offer_price_offering_code FOREIGN KEY(offering_code) REFERENCES offering (offering_code)
);
CREATE INDEX ix_offer_price_offering_code ON offer_price (offering_code);
CREATE TABLE offer_relation (
	from_code VARCHAR(40) NOT NULL,
	relation VARCHAR(20) NOT NULL,
	other_code VARCHAR(40) NOT NULL,
	CONSTRAINT pk_offer_relation PRIMARY KEY (from_code, relation, other_code),
	CONSTRAINT fk_offer_relation_from_code FOREIGN KEY(from_code) REFERENCES offering (offering_code),
	CONSTRAINT fk_offer_relation_other_code FOREIGN KEY(other_code) REFERENCES offering (offering_code)
);
CREATE INDEX ix_offer_relation_other_code ON offer_relation (other_code);
CREATE TABLE org_gram (
	gram VARCHAR(8) NOT NULL,
	customer_id VARCHAR(32) NOT NULL,
	CONSTRAINT pk_org_gram PRIMARY KEY (gram, customer_id),
	CONSTRAINT fk_org_gram_customer_id FOREIGN KEY(customer_id) REFERENCES customer (customer_id)
);
CREATE INDEX ix_org_gram_customer_id ON org_gram (customer_id);
CREATE TABLE place_cover (
	cover_text NVARCHAR(100) NOT NULL,
	place_code VARCHAR(40) NOT NULL,
	CONSTRAINT pk_place_cover PRIMARY KEY (cover_text, place_code),
	CONSTRAINT fk_place_cover_place_code FOREIGN KEY(place_code) REFERENCES network_place (place_code)
);
CREATE INDEX ix_place_cover_place_code ON place_cover (place_code);
CREATE TABLE price_book_row (
	book_version INTEGER NOT NULL,
	row_no INTEGER NOT NULL,
	offering_code VARCHAR(40) NOT NULL,
	document NVARCHAR(max) NOT NULL,
	CONSTRAINT pk_price_book_row PRIMARY KEY (book_version, row_no),
	CONSTRAINT fk_price_book_row_book_version FOREIGN KEY(book_version) REFERENCES price_book (book_version)
);
CREATE INDEX ix_price_book_row_offering ON price_book_row (book_version, offering_code);
CREATE TABLE product (
	product_id VARCHAR(32) NOT NULL,
	product_no VARCHAR(20) NOT NULL,
	customer_id VARCHAR(32) NOT NULL,
	offering_code VARCHAR(40) NOT NULL,
	service VARCHAR(20) NOT NULL,
	shown_as NVARCHAR(60) NOT NULL,
	state VARCHAR(20) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	region VARCHAR(20) NULL,
	install_address NVARCHAR(200) NULL,
	bundle_code VARCHAR(40) NULL,
	bundle_instance VARCHAR(32) NULL,
	installed_on DATE NOT NULL,
	terminated_on DATE NULL,
	version_no INTEGER NOT NULL,
	CONSTRAINT pk_product PRIMARY KEY (product_id),
	CONSTRAINT uq_product_product_no UNIQUE (product_no),
	CONSTRAINT fk_product_customer_id FOREIGN KEY(customer_id) REFERENCES customer (customer_id),
	CONSTRAINT fk_product_offering_code FOREIGN KEY(offering_code) REFERENCES offering (offering_code)
);
CREATE INDEX ix_product_bundle_instance ON product (bundle_instance);
CREATE INDEX ix_product_customer_id ON product (customer_id);
CREATE INDEX ix_product_offering_code ON product (offering_code);
CREATE TABLE product_order (
	order_id VARCHAR(32) NOT NULL,
	order_no VARCHAR(20) NOT NULL,
	customer_id VARCHAR(32) NOT NULL,
	state VARCHAR(24) NOT NULL,
	payment_state VARCHAR(12) NOT NULL,
	pay_mode VARCHAR(12) NOT NULL,
	account_id VARCHAR(32) NULL,
	total BIGINT NOT NULL,
	channel VARCHAR(12) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	district_code VARCHAR(20) NOT NULL,
	opened_at DATETIME2(6) NOT NULL,
	expires_at DATETIME2(6) NULL,
	closed_at DATETIME2(6) NULL,
	visit NVARCHAR(max) NULL,
	remark NVARCHAR(500) NULL,
	reason_code VARCHAR(20) NULL,
	event_count INTEGER NOT NULL,
	version_no INTEGER NOT NULL,
	CONSTRAINT pk_product_order PRIMARY KEY (order_id),
	CONSTRAINT uq_product_order_order_no UNIQUE (order_no),
	CONSTRAINT fk_product_order_customer_id FOREIGN KEY(customer_id) REFERENCES customer (customer_id)
);
CREATE INDEX ix_product_order_customer ON product_order (customer_id, opened_at);
CREATE INDEX ix_product_order_expires ON product_order (expires_at, order_id);
CREATE INDEX ix_product_order_state ON product_order (state, opened_at, order_id);
CREATE TABLE prov_transcript (
	task_id VARCHAR(32) NOT NULL,
	word_no INTEGER NOT NULL,
	at DATETIME2(6) NOT NULL,
	verdict VARCHAR(12) NOT NULL,
	result_code VARCHAR(40) NULL,
	result_text NVARCHAR(400) NULL,
	exchanges NVARCHAR(max) NOT NULL,
	CONSTRAINT pk_prov_transcript PRIMARY KEY (task_id, word_no),
	CONSTRAINT fk_prov_transcript_task_id FOREIGN KEY(task_id) REFERENCES prov_task (task_id)
);
CREATE TABLE role_permission (
	role_code VARCHAR(40) NOT NULL,
	permission VARCHAR(60) NOT NULL,
	CONSTRAINT pk_role_permission PRIMARY KEY (role_code, permission),
	CONSTRAINT fk_role_permission_role_code FOREIGN KEY(role_code) REFERENCES staff_role (role_code)
);
CREATE TABLE staff_member (
	staff_id VARCHAR(32) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	staff_name NVARCHAR(60) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	data_scope VARCHAR(12) NOT NULL,
	state VARCHAR(12) NOT NULL,
	password_hash VARCHAR(200) NOT NULL,
	password_set_at DATETIME2(6) NOT NULL,
	must_change SMALLINT NOT NULL,
	failed_count INTEGER NOT NULL,
	locked_until_at DATETIME2(6) NULL,
	limits_fen NVARCHAR(max) NULL,
	version_no INTEGER NOT NULL,
	CONSTRAINT pk_staff_member PRIMARY KEY (staff_id),
	CONSTRAINT uq_staff_member_staff_no UNIQUE (staff_no),
	CONSTRAINT fk_staff_member_hall_code FOREIGN KEY(hall_code) REFERENCES hall (hall_code)
);
CREATE INDEX ix_staff_member_hall_code ON staff_member (hall_code);
CREATE TABLE trouble_event (
	event_id VARCHAR(32) NOT NULL,
	ticket_id VARCHAR(32) NOT NULL,
	event_no INTEGER NOT NULL,
	at DATETIME2(6) NOT NULL,
	event VARCHAR(20) NOT NULL,
	to_state VARCHAR(20) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	remark NVARCHAR(500) NULL,
	CONSTRAINT pk_trouble_event PRIMARY KEY (event_id),
	CONSTRAINT uq_trouble_event_event_no UNIQUE (ticket_id, event_no),
	CONSTRAINT fk_trouble_event_ticket_id FOREIGN KEY(ticket_id) REFERENCES trouble_ticket (ticket_id)
);
CREATE TABLE trouble_finding (
	ticket_id VARCHAR(32) NOT NULL,
	finding_no INTEGER NOT NULL,
	at DATETIME2(6) NOT NULL,
	looked_at VARCHAR(20) NOT NULL,
	verdict VARCHAR(12) NOT NULL,
	detail NVARCHAR(200) NULL,
	staff_no VARCHAR(20) NOT NULL,
	CONSTRAINT pk_trouble_finding PRIMARY KEY (ticket_id, finding_no),
	CONSTRAINT fk_trouble_finding_ticket_id FOREIGN KEY(ticket_id) REFERENCES trouble_ticket (ticket_id)
);
CREATE TABLE work_order_event (
	event_id VARCHAR(32) NOT NULL,
	work_order_id VARCHAR(32) NOT NULL,
	event_no INTEGER NOT NULL,
	at DATETIME2(6) NOT NULL,
	event VARCHAR(20) NOT NULL,
	to_state VARCHAR(20) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	reason_code VARCHAR(40) NULL,
	remark NVARCHAR(500) NULL,
	CONSTRAINT pk_work_order_event PRIMARY KEY (event_id),
	CONSTRAINT uq_work_order_event_no UNIQUE (work_order_id, event_no),
	CONSTRAINT fk_work_order_event FOREIGN KEY(work_order_id) REFERENCES work_order (work_order_id)
);
CREATE TABLE work_order_material (
	work_order_id VARCHAR(32) NOT NULL,
	material_no INTEGER NOT NULL,
	place_code VARCHAR(40) NULL,
	material_code VARCHAR(40) NOT NULL,
	serial_no VARCHAR(64) NULL,
	quantity BIGINT NOT NULL,
	CONSTRAINT pk_work_order_material PRIMARY KEY (work_order_id, material_no),
	CONSTRAINT fk_work_order_material FOREIGN KEY(work_order_id) REFERENCES work_order (work_order_id)
);
CREATE TABLE work_order_reading (
	work_order_id VARCHAR(32) NOT NULL,
	reading_no INTEGER NOT NULL,
	at DATETIME2(6) NOT NULL,
	reading VARCHAR(20) NOT NULL,
	value_milli BIGINT NOT NULL,
	good SMALLINT NOT NULL,
	CONSTRAINT pk_work_order_reading PRIMARY KEY (work_order_id, reading_no),
	CONSTRAINT fk_work_order_reading FOREIGN KEY(work_order_id) REFERENCES work_order (work_order_id)
);
CREATE TABLE work_order_signature (
	work_order_id VARCHAR(32) NOT NULL,
	signed_by NVARCHAR(60) NOT NULL,
	signed_at DATETIME2(6) NOT NULL,
	strokes NVARCHAR(max) NOT NULL,
	CONSTRAINT pk_work_order_signature PRIMARY KEY (work_order_id),
	CONSTRAINT fk_work_order_signature FOREIGN KEY(work_order_id) REFERENCES work_order (work_order_id)
);
CREATE TABLE work_team_member (
	team_code VARCHAR(20) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	CONSTRAINT pk_work_team_member PRIMARY KEY (team_code, staff_no),
	CONSTRAINT fk_work_team_member_team_code FOREIGN KEY(team_code) REFERENCES work_team (team_code)
);
CREATE INDEX ix_work_team_member_staff_no ON work_team_member (staff_no);
CREATE TABLE work_team_reach (
	area_code VARCHAR(20) NOT NULL,
	skill VARCHAR(20) NOT NULL,
	team_code VARCHAR(20) NOT NULL,
	CONSTRAINT pk_work_team_reach PRIMARY KEY (area_code, skill, team_code),
	CONSTRAINT fk_work_team_reach_team_code FOREIGN KEY(team_code) REFERENCES work_team (team_code)
);
CREATE INDEX ix_work_team_reach_team_code ON work_team_reach (team_code);
CREATE TABLE work_window (
	team_code VARCHAR(20) NOT NULL,
	window_on DATE NOT NULL,
	window_slot VARCHAR(12) NOT NULL,
	booked INTEGER NOT NULL,
	CONSTRAINT pk_work_window PRIMARY KEY (team_code, window_on, window_slot),
	CONSTRAINT fk_work_window_team_code FOREIGN KEY(team_code) REFERENCES work_team (team_code)
);
CREATE TABLE billing_event (
	event_id VARCHAR(32) NOT NULL,
	product_id VARCHAR(32) NOT NULL,
	event_no INTEGER NOT NULL,
	event_kind VARCHAR(12) NOT NULL,
	effective_on DATE NOT NULL,
	until_on DATE NULL,
	offering_code VARCHAR(40) NOT NULL,
	price_version INTEGER NOT NULL,
	bundle_code VARCHAR(40) NULL,
	bundle_instance VARCHAR(32) NULL,
	reason VARCHAR(20) NULL,
	CONSTRAINT pk_billing_event PRIMARY KEY (event_id),
	CONSTRAINT uq_billing_event_event_no UNIQUE (product_id, event_no),
	CONSTRAINT fk_billing_event_product_id FOREIGN KEY(product_id) REFERENCES product (product_id)
);
CREATE TABLE order_event (
	order_id VARCHAR(32) NOT NULL,
	event_no INTEGER NOT NULL,
	at DATETIME2(6) NOT NULL,
	item_no INTEGER NULL,
	event VARCHAR(24) NOT NULL,
	to_state VARCHAR(24) NOT NULL,
	staff_no VARCHAR(20) NOT NULL,
	code VARCHAR(40) NULL,
	remark NVARCHAR(400) NULL,
	CONSTRAINT pk_order_event PRIMARY KEY (order_id, event_no),
	CONSTRAINT fk_order_event_order_id FOREIGN KEY(order_id) REFERENCES product_order (order_id)
);
CREATE TABLE order_fee (
	fee_id VARCHAR(32) NOT NULL,
	order_id VARCHAR(32) NOT NULL,
	item_no INTEGER NOT NULL,
	price_code VARCHAR(40) NOT NULL,
	item_code VARCHAR(40) NOT NULL,
	label_zh NVARCHAR(80) NOT NULL,
	label_en NVARCHAR(80) NOT NULL,
	amount BIGINT NOT NULL,
	state VARCHAR(12) NOT NULL,
	CONSTRAINT pk_order_fee PRIMARY KEY (fee_id),
	CONSTRAINT fk_order_fee_order_id FOREIGN KEY(order_id) REFERENCES product_order (order_id)
);
CREATE INDEX ix_order_fee_order_id ON order_fee (order_id);
CREATE TABLE order_item (
	order_id VARCHAR(32) NOT NULL,
	item_no INTEGER NOT NULL,
	item_id VARCHAR(32) NOT NULL,
	act_name VARCHAR(20) NOT NULL,
	state VARCHAR(24) NOT NULL,
	product_id VARCHAR(32) NULL,
	offering_code VARCHAR(40) NULL,
	effective_on DATE NOT NULL,
	due_on DATE NULL,
	wish NVARCHAR(max) NOT NULL,
	secrets_sealed NVARCHAR(max) NULL,
	steps NVARCHAR(max) NOT NULL,
	result_code VARCHAR(40) NULL,
	result_text NVARCHAR(400) NULL,
	CONSTRAINT pk_order_item PRIMARY KEY (order_id, item_no),
	CONSTRAINT uq_order_item_item_id UNIQUE (item_id),
	CONSTRAINT fk_order_item_order_id FOREIGN KEY(order_id) REFERENCES product_order (order_id)
);
CREATE INDEX ix_order_item_due ON order_item (due_on, order_id);
CREATE INDEX ix_order_item_product ON order_item (product_id, state);
CREATE TABLE pay_relation (
	relation_id VARCHAR(32) NOT NULL,
	product_id VARCHAR(32) NOT NULL,
	account_id VARCHAR(32) NOT NULL,
	item_group VARCHAR(40) NOT NULL,
	priority INTEGER NOT NULL,
	from_on DATE NOT NULL,
	until_on DATE NULL,
	CONSTRAINT pk_pay_relation PRIMARY KEY (relation_id),
	CONSTRAINT fk_pay_relation_product_id FOREIGN KEY(product_id) REFERENCES product (product_id)
);
CREATE INDEX ix_pay_relation_account_id ON pay_relation (account_id);
CREATE INDEX ix_pay_relation_product_id ON pay_relation (product_id);
CREATE TABLE product_access (
	access_kind VARCHAR(12) NOT NULL,
	access_key VARCHAR(64) NOT NULL,
	from_at DATETIME2(6) NOT NULL,
	product_id VARCHAR(32) NOT NULL,
	until_at DATETIME2(6) NULL,
	CONSTRAINT pk_product_access PRIMARY KEY (access_kind, access_key, from_at),
	CONSTRAINT fk_product_access_product_id FOREIGN KEY(product_id) REFERENCES product (product_id)
);
CREATE INDEX ix_product_access_product_id ON product_access (product_id);
CREATE TABLE staff_grant (
	staff_id VARCHAR(32) NOT NULL,
	role_code VARCHAR(40) NOT NULL,
	CONSTRAINT pk_staff_grant PRIMARY KEY (staff_id, role_code),
	CONSTRAINT fk_staff_grant_staff_id FOREIGN KEY(staff_id) REFERENCES staff_member (staff_id),
	CONSTRAINT fk_staff_grant_role_code FOREIGN KEY(role_code) REFERENCES staff_role (role_code)
);
CREATE INDEX ix_staff_grant_role_code ON staff_grant (role_code);
CREATE TABLE staff_password (
	staff_id VARCHAR(32) NOT NULL,
	set_at DATETIME2(6) NOT NULL,
	password_hash VARCHAR(200) NOT NULL,
	CONSTRAINT pk_staff_password PRIMARY KEY (staff_id, set_at),
	CONSTRAINT fk_staff_password_staff_id FOREIGN KEY(staff_id) REFERENCES staff_member (staff_id)
);
CREATE TABLE staff_session (
	session_id VARCHAR(32) NOT NULL,
	staff_id VARCHAR(32) NOT NULL,
	hall_code VARCHAR(20) NOT NULL,
	counter_no VARCHAR(20) NULL,
	channel VARCHAR(20) NOT NULL,
	started_at DATETIME2(6) NOT NULL,
	last_used_at DATETIME2(6) NOT NULL,
	expires_at DATETIME2(6) NOT NULL,
	ended_at DATETIME2(6) NULL,
	end_reason VARCHAR(20) NULL,
	CONSTRAINT pk_staff_session PRIMARY KEY (session_id),
	CONSTRAINT fk_staff_session_staff_id FOREIGN KEY(staff_id) REFERENCES staff_member (staff_id)
);
CREATE INDEX ix_staff_session_staff_id ON staff_session (staff_id, ended_at);
CREATE TABLE suspension (
	suspension_id VARCHAR(32) NOT NULL,
	product_id VARCHAR(32) NOT NULL,
	suspend_reason VARCHAR(20) NOT NULL,
	since_at DATETIME2(6) NOT NULL,
	cleared_at DATETIME2(6) NULL,
	CONSTRAINT pk_suspension PRIMARY KEY (suspension_id),
	CONSTRAINT fk_suspension_product_id FOREIGN KEY(product_id) REFERENCES product (product_id)
);
CREATE INDEX ix_suspension_product_id ON suspension (product_id, cleared_at);
