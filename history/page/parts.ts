/** Where the files of a page lie, from the page: known to who writes them and to who reads them. */
export const DATA_FOLDER = 'data';
